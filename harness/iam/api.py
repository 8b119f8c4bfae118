"""AWS IAM, as far as it answers questions about policies: the simulator and the keys that policies ask for.

Source: AWS Identity and Access Management API Reference 2010-05-08. The landscape's roles are what its manifests say;
nothing here changes them.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.access import Authority, Caller, network_context
from harness.clock import Clock, utc_now
from harness.iam import inputs
from harness.iam.callers import Entity, Simulated, as_caller, nobody, read_entity, simulated
from harness.iam.context_keys import keys_of_documents
from harness.iam.paging import read_page
from harness.iam.simulation import Verdict, decide, told
from harness.policy import Document, PolicyKind, PolicySet, denial_message
from harness.query_protocol.answers import Member, Members, Refusal, error, result
from harness.query_protocol.calls import Parameters, read_call, unknown_operation
from harness.query_protocol.signatures import authenticate
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

SERVICE = "iam"
VERSION = "2010-05-08"
NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
# Policies are long, and percent-encoded they are longer.
_MAX_FORM_BYTES = 1_048_576
_MAX_PARAMETERS = 4000
_SIMULATED_LISTS = ("ActionNames", "ResourceArns", "PolicyInputList", "PermissionsBoundaryPolicyInputList")

Operation = Callable[[Parameters, Caller], Members | Refusal]


class IamApi:
    """A `wire.Handler`."""

    def __init__(self, authority: Authority, *, clock: Clock = utc_now) -> None:
        self._authority = authority
        self._clock = clock
        self._operations: Mapping[str, Operation] = {
            "SimulateCustomPolicy": self._simulate_custom_policy,
            "SimulatePrincipalPolicy": self._simulate_principal_policy,
            "GetContextKeysForCustomPolicy": self._context_keys_for_custom_policy,
            "GetContextKeysForPrincipalPolicy": self._context_keys_for_principal_policy,
        }

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        request_id = request.request_id or str(uuid.uuid4())
        call = read_call(request, VERSION, most=_MAX_PARAMETERS, longest=_MAX_FORM_BYTES)
        if isinstance(call, Refusal):
            return error(NAMESPACE, call, request_id)
        answer = self._answer(call.action, call.parameters, request, place)
        if isinstance(answer, Refusal):
            return error(NAMESPACE, answer, request_id)
        return result(NAMESPACE, call.action, answer, request_id)

    def _answer(
        self, action: str, parameters: Parameters, request: HttpRequest, place: NetworkPlace
    ) -> Members | Refusal:
        operation = self._operations.get(action)
        if operation is None:
            return unknown_operation(action, VERSION)
        authenticated = authenticate(request, self._authority, SERVICE)
        if isinstance(authenticated, Refusal):
            return authenticated
        caller, region = authenticated
        # One landscape is one team's: whoever may simulate a role may do so from any of its accounts.
        resource = parameters.get("PolicySourceArn", "*") if "Principal" in action else "*"
        decision = self._authority.authorize(
            caller,
            action=f"{SERVICE}:{action}",
            resource=resource,
            resource_account=caller.account,
            resource_policy=None,
            context=network_context(request, place, now=self._clock(), region=region),
        )
        if not decision.allowed:
            text = denial_message(caller.principal, f"{SERVICE}:{action}", resource, decision)
            return Refusal("AccessDenied", text, 403)
        return operation(parameters, caller)

    def _simulate_custom_policy(self, parameters: Parameters, caller: Caller) -> Members | Refusal:
        refusal = inputs.check(parameters, required=("PolicyInputList", "ActionNames"), lists=_SIMULATED_LISTS)
        if refusal is not None:
            return refusal
        entity = inputs.read_caller(parameters)
        if isinstance(entity, Refusal):
            return entity
        who = None if entity is None else simulated(entity, self._authority, self._clock())
        scps = inputs.read_levels(parameters)
        if isinstance(scps, Refusal):
            return scps
        return self._simulate(parameters, caller.account, who, PolicySet(scps=scps))

    def _simulate_principal_policy(self, parameters: Parameters, caller: Caller) -> Members | Refusal:
        refusal = inputs.check(parameters, required=("PolicySourceArn", "ActionNames"), lists=_SIMULATED_LISTS)
        if refusal is not None:
            return refusal
        source = self._role(parameters["PolicySourceArn"])
        entity = inputs.read_caller(parameters)
        if isinstance(source, Refusal):
            return source
        if isinstance(entity, Refusal):
            return entity
        role, who = source
        attached = inputs.exclude(parameters, role.name, who)
        if isinstance(attached, Refusal):
            return attached
        named = tuple(_named_after(document, role) for document in attached.identity)
        if entity is not None:
            who = simulated(entity, self._authority, self._clock())
        return self._simulate(parameters, caller.account, who, replace(attached, identity=named))

    def _simulate(
        self, parameters: Parameters, account: str, who: Simulated | None, attached: PolicySet
    ) -> Members | Refusal:
        """`attached`, with the policies that the request brings: more identity policies, another boundary.

        Without a `CallerArn` somebody of the resource's own account asks. `account` owns what says no owner then.
        """
        asked = inputs.read_asked(parameters)
        if isinstance(asked, Refusal):
            return asked
        policies = replace(
            attached,
            identity=(*attached.identity, *asked.identity),
            boundary=asked.boundary or attached.boundary,
        )
        page = read_page(
            parameters,
            results=len(asked.actions),
            cost_each=asked.cost(replace(policies, resource=asked.resource_policy)),
        )
        if isinstance(page, Refusal):
            return page
        otherwise = who.principal.account if who else account

        def verdict(action: str, resource: str) -> Verdict:
            owner = inputs.owner_of(resource, named=asked.owner, otherwise=otherwise)
            return decide(
                self._authority,
                as_caller(who or nobody(owner), policies, asked.context),
                action=action,
                resource=resource,
                owner=owner,
                resource_policy=asked.resource_policy,
            )

        results = [
            told(action, [verdict(action, resource) for resource in asked.resources])
            for action in asked.actions[page.first : page.last]
        ]
        answer: dict[str, Member] = {"EvaluationResults": results, "IsTruncated": bool(page.marker)}
        if page.marker:
            answer["Marker"] = page.marker
        return answer

    def _context_keys_for_custom_policy(self, parameters: Parameters, caller: Caller) -> Members | Refusal:
        refusal = inputs.check(parameters, required=("PolicyInputList",), lists=("PolicyInputList",))
        if refusal is not None:
            return refusal
        documents = inputs.compile_list(parameters, "PolicyInputList", PolicyKind.IDENTITY)
        return documents if isinstance(documents, Refusal) else {"ContextKeyNames": keys_of_documents(documents)}

    def _context_keys_for_principal_policy(self, parameters: Parameters, caller: Caller) -> Members | Refusal:
        refusal = inputs.check(parameters, required=("PolicySourceArn",), lists=("PolicyInputList",))
        if refusal is not None:
            return refusal
        source = self._role(parameters["PolicySourceArn"])
        documents = inputs.compile_list(parameters, "PolicyInputList", PolicyKind.IDENTITY)
        if isinstance(source, Refusal):
            return source
        if isinstance(documents, Refusal):
            return documents
        return {"ContextKeyNames": keys_of_documents([*source[1].own.identity, *documents])}

    def _role(self, arn: str) -> tuple[Entity, Simulated] | Refusal:
        """The role of the landscape that `PolicySourceArn` names. There are neither users nor groups."""
        entity = read_entity(arn)
        if entity is None:
            return inputs.invalid(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        if entity.arn not in self._authority.directory.roles:
            return Refusal("NoSuchEntity", f"The {entity.kind} with name {entity.name} cannot be found.", 404)
        return entity, simulated(entity, self._authority, self._clock())


def _named_after(document: Document, role: Entity) -> Document:
    """As AWS names an inline policy in `SourcePolicyId`: `role_orders-service_orders-service`."""
    return replace(document, name=f"role_{role.name}_{document.name}")
