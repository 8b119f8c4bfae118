"""Credentials. A requirement is a list of alternatives, each a set of schemes that are all needed, with scopes."""

from collections.abc import Iterator, Sequence
from typing import Any

from harness.contracts.contract import Alternative, Contract, Operation, Part
from harness.contracts.diff.pairing import Pairing, shown
from harness.contracts.finding import Finding


def security_findings(pairing: Pairing, was: Operation, now: Operation) -> Iterator[Finding]:
    inner = pairing.at(part="security")
    before, old_at = was.security
    after, new_at = now.security
    names = same_schemes(pairing.old, pairing.new)
    known = [{names.get(name, name): scopes for name, scopes in alternative.items()} for alternative in before]
    shown_after = _shown(after)
    for alternative in known:
        if any(_enough(alternative, other) for other in after):
            continue
        if not alternative:
            yield inner.finding("security-required", old_at, new_at, now=shown_after)
            continue
        scopes = _missing_scopes(alternative, after)
        if scopes is not None:
            words: dict[str, Any] = {"name": _shown([alternative]), "now": ", ".join(sorted(scopes))}
            yield inner.finding("security-scope-added", old_at, new_at, **words)
        else:
            words = {"was": _shown([alternative]), "now": shown_after}
            yield inner.finding("security-alternative-removed", old_at, new_at, **words)
    for other in after:
        if any(_enough(other, alternative) for alternative in known):
            continue
        if not other:
            yield inner.finding("security-removed", old_at, new_at)
        elif (scopes := _missing_scopes(other, known)) is not None:
            words = {"name": _shown([other]), "was": ", ".join(sorted(scopes))}
            yield inner.finding("security-scope-removed", old_at, new_at, **words)
        else:
            yield inner.finding("security-alternative-added", old_at, new_at, now=_shown([other]))


def _enough(given: Alternative, needed: Alternative) -> bool:
    """Whether who has the credentials `given` has those that are `needed`."""
    return all(name in given and scopes <= given[name] for name, scopes in needed.items())


def _missing_scopes(given: Alternative, accepted: Sequence[Alternative]) -> frozenset[str] | None:
    """What is missing where the same schemes would do with more scopes; None where they would not."""
    for needed in accepted:
        if needed and needed.keys() <= given.keys():
            return frozenset().union(*(scopes - given[name] for name, scopes in needed.items()))
    return None


def _shown(alternatives: Sequence[Alternative]) -> str:
    words = [" and ".join(sorted(alternative)) or "none" for alternative in alternatives]
    return " or ".join(words)


def same_schemes(old: Contract, new: Contract) -> dict[str, str]:
    """Old name -> new name of the schemes that are sent in the same way under another name."""
    before, after = _schemes(old), _schemes(new)
    found = {}
    for name, part in before.items():
        if name not in after:
            same = [
                other for other, candidate in after.items() if other not in before and _sent(candidate) == _sent(part)
            ]
            if len(same) == 1:
                found[name] = same[0]
    return found


def scheme_findings(pairing: Pairing) -> Iterator[Finding]:
    """Schemes of one name that are sent otherwise; those that no requirement names are of no account."""
    inner = pairing.at(part="security")
    before, after = _schemes(pairing.old), _schemes(pairing.new)
    for name, part in before.items():
        if name not in after:
            continue
        other = after[name]
        if _sent(part) != _sent(other):
            words: dict[str, Any] = {"name": name, "was": _told(part), "now": _told(other)}
            yield inner.finding("security-scheme-changed", part.at, other.at, **words)
        elif _flows(part) != _flows(other):
            words = {"name": name, "was": shown(_flows(part)), "now": shown(_flows(other))}
            yield inner.finding("security-flow-changed", part.at, other.at, **words)


def _schemes(contract: Contract) -> dict[str, Part]:
    components = contract.raw.get("components")
    if not isinstance(components, dict) or "securitySchemes" not in components:
        return {}
    return contract.entries(contract.part(contract.root("components")), "securitySchemes")


def _sent(part: Part) -> tuple[Any, ...]:
    name = part.get("name")
    place = part.get("in")
    scheme = str(part.get("scheme") or "").lower()
    return part.get("type"), name.lower() if place == "header" and isinstance(name, str) else name, place, scheme


def _flows(part: Part) -> Any:
    """Where tokens come from; the words about scopes do not matter."""
    flows = part.get("flows")
    if not isinstance(flows, dict):
        return part.get("openIdConnectUrl")
    keys = ("authorizationUrl", "tokenUrl", "refreshUrl")
    return {
        name: {key: flow[key] for key in keys if key in flow} for name, flow in flows.items() if isinstance(flow, dict)
    }


def _told(part: Part) -> str:
    return " ".join(
        str(word) for word in (part.get("type"), part.get("scheme"), part.get("in"), part.get("name")) if word
    )
