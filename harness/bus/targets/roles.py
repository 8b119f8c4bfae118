"""Under which identity the bus turns to a target: the role that the target names, or the rule's account itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from harness import wire
from harness.access import Assumed, Authority, Caller
from harness.bus.model import Rule
from harness.bus.targets.delivery import Failure
from harness.clock import Clock, extended_iso, utc_now
from harness.identity import RecentlyUsed, start_session
from harness.policy import Document, PolicySet, Principal, PrincipalType, denial_message
from harness.policy.model import ContextValue

SERVICE = "events.amazonaws.com"
SESSION_SECONDS = 3600
RENEW_BEFORE = timedelta(minutes=5)
_REMEMBERED = 1024


class Roles:
    def __init__(self, authority: Authority, *, clock: Clock = utc_now) -> None:
        self._authority = authority
        self._clock = clock
        self._assumed: RecentlyUsed[tuple[str, str], tuple[Caller, datetime]] = RecentlyUsed(_REMEMBERED)

    def refusal(
        self,
        rule: Rule,
        role_arn: str,
        *,
        action: str,
        resource: str,
        resource_policy: Document | None = None,
        context: Mapping[str, ContextValue] | None = None,
    ) -> Failure | None:
        """May the rule do this, as the role, or as its account when `role_arn` is empty? None when it may."""
        caller = self._assume(role_arn, rule) if role_arn else self._account(rule.account)
        if isinstance(caller, Failure):
            return caller
        decision = self._authority.authorize(
            caller,
            action=action,
            resource=resource,
            resource_account=resource.split(":")[4],
            resource_policy=resource_policy,
            context={**self._context(rule), **(context or {})},
        )
        if decision.allowed:
            return None
        return Failure("NO_PERMISSIONS", denial_message(caller.principal, action, resource, decision), retryable=False)

    def assume(self, rule: Rule, role_arn: str) -> Assumed | Failure:
        """For a receiver that decides by itself."""
        caller = self._assume(role_arn, rule)
        return caller if isinstance(caller, Failure) else Assumed(caller, self._context(rule))

    def _context(self, rule: Rule) -> dict[str, ContextValue]:
        now = self._clock()
        return {
            "aws:requestedregion": self._authority.directory.region,
            "aws:currenttime": extended_iso(now),
            "aws:epochtime": str(int(now.timestamp())),
            "aws:securetransport": "true",
            "aws:viaawsservice": "true",
            "aws:sourcearn": rule.arn,
            "aws:sourceaccount": rule.account,
        }

    def _assume(self, role_arn: str, rule: Rule) -> Caller | Failure:
        known = self._assumed.get((role_arn, rule.arn))
        now = self._clock()
        if known is not None and now < known[1]:
            return known[0]
        role = self._authority.directory.roles.get(role_arn)
        refused = Failure("FAILED_TO_ASSUME_ROLE", f"{SERVICE} may not assume the role {role_arn}", retryable=False)
        # A role is passed to a service of its own account only (iam:PassRole).
        if role is None or role.account != rule.account:
            return refused
        service = self._authority.service_caller(SERVICE, source_arn=rule.arn)
        if not self._authority.authorize_trust(service, role, action="sts:AssumeRole", context={}).allowed:
            return refused
        caller = self._authority.caller_of(start_session(role, "events", now=now, seconds=SESSION_SECONDS))
        if caller is None:
            return refused
        self._assumed.put((role_arn, rule.arn), (caller, now + timedelta(seconds=SESSION_SECONDS) - RENEW_BEFORE))
        return caller

    def _account(self, account: str) -> Caller:
        """Who a rule is without a role: its whole account, which the receiver's policy may name."""
        directory = self._authority.directory
        arn = f"arn:{wire.PARTITION}:iam::{account}:root"
        context: dict[str, ContextValue] = {
            "aws:principalarn": arn,
            "aws:principalaccount": account,
            "aws:principaltype": PrincipalType.ACCOUNT.value,
            "aws:principalisawsservice": "false",
        }
        own = PolicySet()
        if account in directory.accounts:
            context["aws:principalorgid"] = directory.organisation
        if account in directory.memberships:
            member = directory.memberships[account]
            context["aws:principalorgpaths"] = (member.path,)
            own = PolicySet(scps=member.scps)
        principal = Principal(PrincipalType.ACCOUNT, arn, account=account, user_id=account)
        return Caller(principal, access_key_id="", session=None, role=None, context=context, own=own)
