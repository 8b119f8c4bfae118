"""`ContextEntries` of a simulation: typed values that become the context of the simulated request.

Source: IAM API Reference, ContextEntry.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from ipaddress import ip_network

from harness.policy import ContextValue
from harness.policy.operators import instant, number
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters, members

_LIST = "List"


def _is_binary(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (Base64Error, ValueError):  # not base64; not ASCII
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


TYPES: Mapping[str, Callable[[str], bool]] = {
    "string": lambda text: True,
    "numeric": lambda text: number(text) is not None,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "ip": _is_address,
    "binary": _is_binary,
    "date": lambda text: instant(text) is not None,
}
"""Each exists as a list too: `stringList`, …"""

_NAMES = sorted(name + suffix for name in TYPES for suffix in ("", _LIST))


def read_context(parameters: Parameters) -> dict[str, ContextValue] | Refusal:
    """By key in lower case, as the policy engine looks keys up."""
    context: dict[str, ContextValue] = {}
    for number_, entry in enumerate(members(parameters, "ContextEntries"), start=1):
        key = entry.get("ContextKeyName", "")
        if not 5 <= len(key) <= 256:
            return _invalid(f"ContextEntries.{number_} needs a ContextKeyName of 5 to 256 characters.")
        if key.lower() in context:
            return _invalid(f"Context key {key} is given more than once.")
        values = tuple(value[""] for value in members(entry, "ContextKeyValues") if "" in value)
        value = _value(key, entry.get("ContextKeyType", "string"), values)
        if isinstance(value, Refusal):
            return value
        context[key.lower()] = value
    return context


def _value(key: str, kind: str, values: tuple[str, ...]) -> ContextValue | Refusal:
    fits = TYPES.get(kind.removesuffix(_LIST))
    if fits is None:
        return _invalid(f"Context key {key}: there is no type {kind}; choose one of {', '.join(_NAMES)}.")
    wrong = next((value for value in values if not fits(value)), None)
    if wrong is not None:
        return _invalid(f"Context key {key}: '{wrong}' is not of type {kind.removesuffix(_LIST)}.")
    if kind.endswith(_LIST):
        return values
    if len(values) != 1:
        return _invalid(
            f"Context key {key} of type {kind} takes one value, not {len(values)}; for several, {kind}List."
        )
    return values[0]


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidInput", text)
