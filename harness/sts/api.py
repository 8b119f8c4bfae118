"""AWS STS: one handler for the query API, and the tables of its operations.

Source: AWS Security Token Service API Reference 2011-06-15.
"""

import uuid
from collections.abc import Mapping

from joserfc.jwk import KeySet

from harness.access import Authority, Caller, network_context
from harness.clock import Clock, extended_iso, utc_now
from harness.identity import Credentials, Directory, Role, Sealer, Session, account_of, principal_of
from harness.policy import ContextValue
from harness.query_protocol.answers import Members, Refusal, error, result
from harness.query_protocol.calls import Call, Parameters, read_call, unknown_operation
from harness.query_protocol.signatures import authenticate
from harness.sts import assume_role, constraints, federation
from harness.sts.session_policies import packed_percent
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

SERVICE = "sts"
VERSION = "2011-06-15"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

Context = Mapping[str, ContextValue]


class StsApi:
    """A `wire.Handler`. `web_identity_key`: the public keys that the landscape's OpenID Connect provider signs with."""

    def __init__(
        self,
        authority: Authority,
        sealer: Sealer,
        directory: Directory,
        *,
        clock: Clock = utc_now,
        web_identity_key: KeySet | None = None,
    ) -> None:
        self._authority = authority
        self._sealer = sealer
        self._directory = directory
        self._clock = clock
        self._keys = web_identity_key
        self._signed = {
            "AssumeRole": self._assume_role,
            "GetCallerIdentity": self._get_caller_identity,
            "GetSessionToken": self._get_session_token,
            "GetAccessKeyInfo": self._get_access_key_info,
        }
        self._unsigned = {"AssumeRoleWithWebIdentity": self._assume_role_with_web_identity}

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        request_id = request.request_id or str(uuid.uuid4())
        call = read_call(request, VERSION)
        if isinstance(call, Refusal):
            return error(NAMESPACE, call, request_id)
        answer = self._answer(call, request, place)
        if isinstance(answer, Refusal):
            return error(NAMESPACE, answer, request_id)
        return result(NAMESPACE, call.action, answer, request_id)

    def _answer(self, call: Call, request: HttpRequest, place: NetworkPlace) -> Members | Refusal:
        unsigned = self._unsigned.get(call.action)
        if unsigned is not None:
            context = network_context(request, place, now=self._clock(), region=self._directory.region)
            return unsigned(call.parameters, context)
        signed = self._signed.get(call.action)
        if signed is None:
            return unknown_operation(call.action, VERSION)
        authenticated = authenticate(request, self._authority, SERVICE)
        if isinstance(authenticated, Refusal):
            return authenticated
        caller, region = authenticated
        context = network_context(request, place, now=self._clock(), region=region)
        return signed(call.parameters, caller, context)

    def _assume_role(self, parameters: Parameters, caller: Caller, context: Context) -> Members | Refusal:
        ask = assume_role.read_ask(parameters)
        if isinstance(ask, Refusal):
            return ask
        started = assume_role.start(ask, caller, self._authority, context=context, now=self._clock())
        if isinstance(started, Refusal):
            return started
        role, session = started
        members = self._session_members(role, session)
        if session.source_identity:
            members["SourceIdentity"] = session.source_identity
        return members

    def _assume_role_with_web_identity(self, parameters: Parameters, context: Context) -> Members | Refusal:
        started = federation.start(parameters, self._authority, self._keys, context=context, now=self._clock())
        if isinstance(started, Refusal):
            return started
        role, session, identity = started
        return {
            **self._session_members(role, session),
            "SubjectFromWebIdentityToken": identity.subject,
            "Provider": session.provider,
            "Audience": identity.audience,
        }

    def _get_caller_identity(self, parameters: Parameters, caller: Caller, context: Context) -> Members:
        """Permitted to everyone who can sign, whatever a policy says."""
        principal = caller.principal
        return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}

    def _get_session_token(self, parameters: Parameters, caller: Caller, context: Context) -> Refusal:
        """For long-term keys alone, and a landscape has none."""
        return Refusal("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)

    def _get_access_key_info(self, parameters: Parameters, caller: Caller, context: Context) -> Members | Refusal:
        refusal = constraints.check(parameters, required=("AccessKeyId",))
        if refusal is not None:
            return refusal
        action = "sts:GetAccessKeyInfo"
        decision = self._authority.authorize(
            caller,
            action=action,
            resource="*",
            resource_account=caller.account,
            resource_policy=None,
            context=context,
        )
        if not decision.allowed:
            return assume_role.denied(caller, action, "*")
        key = parameters["AccessKeyId"]
        account = account_of(key)
        if account is None:
            return Refusal("ValidationError", f"Access key {key} is invalid")
        return {"Account": account}

    def _session_members(self, role: Role, session: Session) -> dict[str, "str | int | Members"]:
        principal = principal_of(session, role)
        members: dict[str, str | int | Members] = {
            "Credentials": _credentials(self._sealer.issue(session)),
            "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        }
        packed = packed_percent(session.policies, session.tags)
        if packed:
            members["PackedPolicySize"] = packed
        return members


def _credentials(credentials: Credentials) -> Members:
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": extended_iso(credentials.expiration),
    }
