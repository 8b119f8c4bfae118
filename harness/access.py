"""Where signature, identity and policy meet: every edge asks here who calls and whether it may.

`Authority.authenticate` answers who; `Authority.authorize` answers whether. Both are pure but for the clock. What
follows from a session alone (its principal, context keys, compiled policies) is worked out once and kept as long as
the session is in use.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from harness.clock import Clock, extended_iso, utc_now
from harness.errors import InputError
from harness.identity import Directory, Membership, RecentlyUsed, Role, Sealer, Session, principal_of, session_context
from harness.policy import (
    ANONYMOUS,
    AccessRequest,
    ContextValue,
    Decision,
    Document,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalType,
    compile_document,
    evaluate,
    evaluate_trust,
    explain,
)
from harness.sigv4 import (
    Fault,
    FaultKind,
    Presented,
    Recurring,
    SigningKeys,
    alike_of,
    check_scope,
    read_authorization,
    verify,
)
from harness.wire import HttpRequest, NetworkPlace, PlaceKind

INVALID_TOKEN = Fault(FaultKind.UNKNOWN_KEY, "The security token included in the request is invalid.")
EXPIRED_TOKEN = Fault(FaultKind.EXPIRED_TOKEN, "The security token included in the request is expired")

_REMEMBERED_SETS = 64
_RECURRING = 1024
_NOT_PLACED = Membership(path="")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, its signature verified.

    `context`: the condition keys that follow from the identity. `own`: the policies on the caller's side (of the
    role, its boundary, its session, its account's place in the organisation); those of the resource come with each
    question.
    """

    principal: Principal
    access_key_id: str
    session: Session | None
    role: Role | None
    context: Mapping[str, ContextValue]
    own: PolicySet = field(default_factory=PolicySet, repr=False)
    _sets: dict[tuple[Document | None, Document | None], PolicySet] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def account(self) -> str:
        return self.principal.account

    def policies(self, resource: Document | None, endpoint: Document | None) -> PolicySet:
        """All that applies when this caller asks for what `resource` guards. Remembered: few documents, many calls."""
        policies = self._sets.get((resource, endpoint))
        if policies is None:
            if len(self._sets) >= _REMEMBERED_SETS:
                self._sets.clear()
            policies = self._sets[resource, endpoint] = replace(self.own, resource=resource, endpoint=endpoint)
        return policies


@dataclass(frozen=True, slots=True)
class Assumed:
    """The role that a service has taken up for a resource, and the condition keys of what it asks for now."""

    caller: Caller
    context: Mapping[str, ContextValue]


UNSIGNED = Caller(
    ANONYMOUS,
    access_key_id="",
    session=None,
    role=None,
    context={"aws:principaltype": ANONYMOUS.type.value, "aws:userid": ANONYMOUS.user_id},
)
"""The caller of a request without a signature, where an edge lets one in."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an edge asked about one action, and the answer. `trust`: about taking up the role that `resource` names."""

    caller: Caller
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, ContextValue]
    allowed: bool
    trust: bool = False


asked: ContextVar[list[Question] | None] = ContextVar("asked", default=None)
"""Where it holds a list, every question that is decided meanwhile is added to it: so that an audit knows them."""


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    secret: str = field(repr=False)
    expires: datetime


class Authority:
    """Knows the organisation's roles and the master key's tokens. Shared by all edges of a process.

    Without a `sealer` it opens no token, and so knows no caller by its signature: enough to decide for services.
    """

    def __init__(
        self, directory: Directory, sealer: Sealer | None, *, clock: Clock = utc_now, cache_size: int = 4096
    ) -> None:
        self.directory = directory
        self._sealer = sealer
        self._clock = clock
        self._keys = SigningKeys()
        self._known: RecentlyUsed[tuple[str, str], _Known] = RecentlyUsed(cache_size)
        self._recurring: dict[tuple[object, ...], Recurring[Caller]] = {}
        self._owners = {account: self._owner(account) for account in directory.accounts}

    def authenticate(
        self,
        request: HttpRequest,
        *,
        service: str,
        skew_seconds: int = 300,
        region: str | None = None,
        must_sign: Sequence[str] = (),
    ) -> Caller | Fault:
        """Form, scope and time, token, signature, in the order in which AWS answers. `region` None: the landscape's.

        `must_sign`: headers (lower case) that the signature has to cover besides `host`, since they say what is asked.
        """
        now = self._clock()
        region = region or self.directory.region
        values = dict(request.headers)
        alike = alike_of(request, values)
        if alike is not None:
            alike = (*alike, service, region, skew_seconds)
            recurring = self._recurring.get(alike)
            if recurring is not None and recurring.signs(request, values, now=now, must_sign=must_sign):
                return recurring.of
        presented = read_authorization(request)
        if isinstance(presented, Fault):
            return presented
        for name in must_sign:
            if name not in presented.signed_headers:
                return Fault(FaultKind.MISMATCH, f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
        fault = check_scope(presented, region=region, service=service, now=now, skew_seconds=skew_seconds)
        if fault is not None:
            return fault
        known = self._lookup(presented)
        if known is None:
            return INVALID_TOKEN
        if now >= known.expires:
            return EXPIRED_TOKEN
        fault = verify(request, presented, known.secret, keys=self._keys)
        if fault is not None:
            return fault
        if alike is not None:
            if len(self._recurring) >= _RECURRING:
                self._recurring.clear()
            key = self._keys.get(known.secret, presented.date, presented.region, presented.service)
            self._recurring[alike] = Recurring(
                known.caller, presented, key, values, skew_seconds=skew_seconds, expires=known.expires
            )
        return known.caller

    def caller_of(self, session: Session) -> Caller | None:
        """The caller that a session makes; None when its role is gone or one of its policies does not compile."""
        role = self.directory.roles.get(session.role_arn)
        if role is None:
            return None
        try:
            sessions = compile_session_policies(session.policies)
        except InputError:
            return None
        directory = self.directory
        member = directory.memberships.get(role.account, _NOT_PLACED)
        return Caller(
            principal=principal_of(session, role),
            access_key_id=session.access_key_id,
            session=session,
            role=role,
            context=session_context(
                session,
                role,
                organisation=directory.organisation if role.account in directory.accounts else "",
                organisation_path=member.path,
            ),
            own=PolicySet(identity=role.policies, boundary=role.boundary, sessions=sessions, scps=member.scps),
        )

    def service_caller(self, service: str, *, source_arn: str) -> Caller:
        """An AWS service that acts for a resource: `events.amazonaws.com` for the rule `source_arn`.

        It has no policies of its own: it may what the policy of the resource that it turns to allows it. Source of
        the keys: IAM User Guide, "AWS global condition context keys", keys of the principal and of service requests.
        """
        account = source_arn.split(":")[4]
        context: dict[str, ContextValue] = {
            "aws:principalisawsservice": "true",
            "aws:principalservicename": service,
            "aws:principalservicenameslist": (service,),
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": account,
        }
        directory = self.directory
        if account in directory.accounts:
            context["aws:sourceorgid"] = directory.organisation
        if account in directory.memberships:
            context["aws:sourceorgpaths"] = (directory.memberships[account].path,)
        principal = Principal(PrincipalType.SERVICE, service, user_id=service)
        return Caller(principal, access_key_id="", session=None, role=None, context=context)

    def authorize(
        self,
        caller: Caller,
        *,
        action: str,
        resource: str,
        resource_account: str,
        resource_policy: Document | None,
        context: Mapping[str, ContextValue],
        endpoint_policy: Document | None = None,
    ) -> Decision:
        """`context`: the keys of the request and the network; those of the identity come on top of them."""
        request = self._request(caller, action, resource, resource_account, context)
        decision = evaluate(request, caller.policies(resource_policy, endpoint_policy))
        questions = asked.get()
        if questions is not None:
            questions.append(Question(caller, action, resource, resource_account, request.context, decision.allowed))
        return decision

    def explain(
        self,
        caller: Caller,
        *,
        action: str,
        resource: str,
        resource_account: str,
        resource_policy: Document | None,
        context: Mapping[str, ContextValue],
        endpoint_policy: Document | None = None,
    ) -> Decision:
        """The decision of `authorize`, with the outcome of every statement."""
        return explain(
            self._request(caller, action, resource, resource_account, context),
            caller.policies(resource_policy, endpoint_policy),
        )

    def authorize_trust(
        self, caller: Caller, role: Role, *, action: str, context: Mapping[str, ContextValue]
    ) -> Decision:
        """May `caller` do `action` (`sts:AssumeRole`, …) on `role`: by its trust policy and by the caller's own."""
        request = self._request(caller, action, role.arn, role.account, context)
        decision = evaluate_trust(request, role.trust, caller.own)
        questions = asked.get()
        if questions is not None:
            questions.append(
                Question(caller, action, role.arn, role.account, request.context, decision.allowed, trust=True)
            )
        return decision

    def _request(
        self, caller: Caller, action: str, resource: str, resource_account: str, context: Mapping[str, ContextValue]
    ) -> AccessRequest:
        owner = self._owners.get(resource_account)
        whole = {**context, **(self._owner(resource_account) if owner is None else owner), **caller.context}
        return AccessRequest(caller.principal, action, resource, resource_account, whole)

    def _owner(self, account: str) -> dict[str, ContextValue]:
        """The keys that say whose the resource is."""
        context: dict[str, ContextValue] = {"aws:resourceaccount": account}
        if account in self.directory.accounts:
            context["aws:resourceorgid"] = self.directory.organisation
        if account in self.directory.memberships:
            context["aws:resourceorgpaths"] = (self.directory.memberships[account].path,)
        return context

    def _lookup(self, presented: Presented) -> _Known | None:
        token = presented.security_token
        if token is None:  # only roles exist here, and a role's key is worth nothing without its token
            return None
        place = (presented.access_key_id, token)
        known = self._known.get(place)
        if known is not None:
            return known
        if self._sealer is None:
            return None
        session = self._sealer.open(presented.access_key_id, token)
        if session is None:
            return None
        caller = self.caller_of(session)
        if caller is None:
            return None
        known = _Known(caller, self._sealer.secret_for(presented.access_key_id), session.expires)
        self._known.put(place, known)
        return known


def compile_session_policies(texts: tuple[str, ...] | None) -> tuple[Document, ...] | None:
    """Raises InputError when one of the texts is not a policy."""
    if texts is None:
        return None
    return tuple(
        compile_document(text, kind=PolicyKind.SESSION, name=f"session policy {number}")
        for number, text in enumerate(texts, start=1)
    )


def network_context(
    request: HttpRequest, place: NetworkPlace, *, now: datetime, region: str, secure: bool = True
) -> dict[str, ContextValue]:
    """The condition keys that follow from where and when a request came in.

    Through a VPC endpoint there is no `aws:SourceIp`, from the public internet there are no endpoint keys (IAM User
    Guide, "AWS global condition context keys", properties of the network). `aws:SourceVpcArn`, `aws:VpceAccount` and
    the organisation's keys of an endpoint depend on the service, and API Gateway's guide does not list them.
    """
    context = dict(_always(int(now.timestamp()), region, secure))
    if place.vpce_id:
        context["aws:sourcevpce"] = place.vpce_id
        context["aws:sourcevpc"] = place.vpc_id
        context["aws:vpcsourceip"] = request.client_ip
    elif place.kind is PlaceKind.PUBLIC:
        context["aws:sourceip"] = request.client_ip
    values = dict(reversed(request.headers))  # of a repeated header the first counts
    for name, key in _TOLD:
        value = values.get(name)
        if value is not None:
            context[key] = value.decode("latin-1")
    return context


_TOLD = ((b"user-agent", "aws:useragent"), (b"referer", "aws:referer"))


@lru_cache(maxsize=64)
def _always(second: int, region: str, secure: bool) -> dict[str, ContextValue]:
    """The keys that all requests of one second share."""
    return {
        "aws:requestedregion": region,
        "aws:currenttime": extended_iso(datetime.fromtimestamp(second, UTC)),
        "aws:epochtime": str(second),
        "aws:securetransport": "true" if secure else "false",
        "aws:viaawsservice": "false",
    }
