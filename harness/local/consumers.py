"""Who a caller is to a provider: the name that its pacts and its recorded usage have."""

from collections import Counter
from collections.abc import Mapping

from harness import manifest
from harness.identity import RecentlyUsed, Sealer
from harness.sigv4 import Presented, read_authorization
from harness.wire import HttpRequest

_REMEMBERED = 1024


def consumer_names(landscape: manifest.Landscape) -> dict[str, str]:
    """By role ARN: the domain that runs as the role, else the role's own name, with its account where two share it."""
    names = {domain.runs_as.arn: domain.name for domain in landscape.domains.values()}
    accounts = {account.id: account.name for account in landscape.accounts.values()}
    others = [role for role in landscape.roles.values() if role.arn not in names]
    taken = Counter([*landscape.domains, *(role.name for role in others)])
    for role in others:
        names[role.arn] = role.name if taken[role.name] == 1 else f"{accounts[role.account]}.{role.name}"
    return names


class Consumers:
    """Names the sender of a call that was let in: its signature has been verified before."""

    def __init__(self, names: Mapping[str, str], sealer: Sealer) -> None:
        self._names = names
        self._sealer = sealer
        self._known: RecentlyUsed[tuple[str, str], str] = RecentlyUsed(_REMEMBERED)

    def of(self, request: HttpRequest) -> str:
        """Empty for one that has no role of the landscape."""
        presented = read_authorization(request)
        if not isinstance(presented, Presented) or presented.security_token is None:
            return ""
        key = (presented.access_key_id, presented.security_token)
        name = self._known.get(key)
        if name is None:
            session = self._sealer.open(*key)
            name = self._names.get(session.role_arn, "") if session is not None else ""
            self._known.put(key, name)
        return name
