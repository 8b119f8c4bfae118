"""What of a connection is secret, and what an answer may show of it.

Source: EventBridge API reference, DescribeConnection: a password, an API key's value and a client's secret are never
shown, nor a parameter of an invocation that `IsValueSecret` marks.
"""

from collections.abc import Mapping
from typing import Any, Final

from harness.bus.targets.http_parameters import may_be_set

OF_TYPE: Final[Mapping[str, str]] = {
    "BASIC": "BasicAuthParameters",
    "OAUTH_CLIENT_CREDENTIALS": "OAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
}
_SECRET = frozenset({"Password", "ClientSecret", "ApiKeyValue"})
_NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "BASIC": (("Username",), ("Password",)),
    "OAUTH_CLIENT_CREDENTIALS": (
        ("ClientParameters", "ClientID"),
        ("ClientParameters", "ClientSecret"),
        ("AuthorizationEndpoint",),
        ("HttpMethod",),
    ),
    "API_KEY": (("ApiKeyName",), ("ApiKeyValue",)),
}


def without_secrets(parameters: Mapping[str, Any]) -> dict[str, Any]:
    hidden = parameters.get("IsValueSecret", False)
    return {
        name: _shown(value)
        for name, value in parameters.items()
        if name not in _SECRET and not (hidden and name == "Value")
    }


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    return [_shown(item) for item in value] if isinstance(value, list) else value


def mistake(authorization: str, parameters: Mapping[str, Any]) -> str:
    """Why the parameters are not those of the kind of authorisation; empty when they are."""
    wanted = OF_TYPE[authorization]
    strange = [name for name in OF_TYPE.values() if name in parameters and name != wanted]
    if strange:
        return f"Parameter AuthParameters is not valid. Reason: {strange[0]} is not for {authorization}."
    for path in _NEEDED[authorization]:
        value: Any = parameters.get(wanted)
        for name in path:
            value = (value or {}).get(name)
        if value is None:
            return f"Parameter(s) AuthParameters.{'.'.join((wanted, *path))} must be specified."
    key_name = parameters[wanted].get("ApiKeyName", "")
    if not may_be_set(key_name):
        return f"Parameter ApiKeyName is not valid. Reason: {key_name} is a header of the service's own."
    return ""


def merged(kept: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What an update makes of parameters: objects member by member, all else as given."""
    return {**kept} | {
        name: merged(kept[name], value) if isinstance(value, dict) and isinstance(kept.get(name), dict) else value
        for name, value in changes.items()
    }
