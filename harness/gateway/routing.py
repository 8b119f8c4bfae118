"""Which API and which stage a request is for, by the listener, the host name or `x-apigw-api-id`.

Whoever names the API in two ways must name the same one: a request that could be read as a call of either of two APIs
is refused, so that it is never authorised for one and sent to the other. And whatever names it has to be signed, so
that a signature for one API is of no use at another: the host always is, the header has to be where it alone decides.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from harness.gateway.api import Api, Stage
from harness.wire import API_ID_HEADER, NetworkPlace


class Unclear(Enum):
    """Two names of an API that differ, or a host name that is not one of ours or leads elsewhere."""

    UNCLEAR = "unclear"


class Named(NamedTuple):
    """`must_sign`: the headers that name the API and that the signature does not cover by itself."""

    api: str = ""
    must_sign: tuple[str, ...] = ()


UNCLEAR = Unclear.UNCLEAR
_NOTHING = Named()
_HEADER = (API_ID_HEADER.decode(),)
_HTTP_PORT = 80
_MARK = ".execute-api."
_ALIAS_MARK = "-vpce-"
# Clients choose what stands in Host: what is remembered of it is bounded, and what is read of it costs little.
_MOST_KNOWN = 1024


class ApiNames:
    """Reads the API's id out of a request. An empty id: no API is named, the request is for an AWS service.

    `domain_names`: private custom domain names, in lower case, and the APIs that they lead to.
    """

    def __init__(self, region: str, domain_names: Mapping[str, str] | None = None) -> None:
        self._domain_names = dict(domain_names or {})
        self._suffixes = frozenset({"localhost", f"{region}.amazonaws.com"})
        self._endpoint_suffix = f"{region}.vpce.amazonaws.com"
        self._known: dict[tuple[str, str, int, bytes, bytes | None], Named | Unclear] = {}

    def named(self, place: NetworkPlace, port: int, host: bytes, header: bytes | None) -> Named | Unclear:
        """`host` and `header` are the values of `Host` and `x-apigw-api-id`; `host` may have a port.

        `port` is the listener's own.
        """
        key = (place.vpce_id, place.api, port, host, header)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[key] = self._read(place, port, host, header)
        return known

    def _read(self, place: NetworkPlace, port: int, host: bytes, header: bytes | None) -> Named | Unclear:
        by_host = self._read_host(host)
        if isinstance(by_host, Unclear):
            return UNCLEAR
        api, endpoint = by_host
        # An alias name leads to that endpoint and no other.
        if endpoint and endpoint != place.vpce_id:
            return UNCLEAR
        # The listener's own port in the signed host stands for the listener's API.
        signed = bool(api) or (place.api != "" and _port(host) == port)
        for name in (None if header is None else header.decode("latin-1"), place.api or None):
            if name is None:
                continue
            if not name or (api and api != name):
                return UNCLEAR
            api = name
        if not api:
            return _NOTHING
        if signed:
            return Named(api)
        return UNCLEAR if header is None else Named(api, _HEADER)

    def _read_host(self, host: bytes) -> tuple[str, str] | Unclear:
        """The API and the VPC endpoint that a host name stands for, each empty when it names none."""
        name = host.decode("latin-1").lower().partition(":")[0].removesuffix(".")
        if name in self._domain_names:
            return self._domain_names[name], ""
        if "execute-api" not in name:
            return "", ""
        prefix, mark, suffix = name.partition(_MARK)
        if mark and suffix == self._endpoint_suffix:
            # An endpoint's own name, vpce-0a1b-xyz.execute-api.eu-west-1.vpce.amazonaws.com: the header names the API.
            return "", ""
        if not mark or suffix not in self._suffixes or not prefix or "." in prefix:
            return UNCLEAR
        api, alias, rest = prefix.rpartition(_ALIAS_MARK)
        if not alias:
            return prefix, ""
        return (api, f"vpce-{rest}") if api and rest else UNCLEAR


def _port(host: bytes) -> int:
    """The port in a `Host` header; -1 when it is no number."""
    port = host.rpartition(b"]")[2].partition(b":")[2]
    if not port:
        return _HTTP_PORT
    return int(port) if port.isdigit() and len(port) <= 5 else -1


def split_stage(raw_path: bytes) -> tuple[bytes, bytes]:
    """`/v2/orders/17` -> `v2`, `/orders/17`; the path below the stage is `/` when there is nothing below it."""
    end = raw_path.find(b"/", 1)
    if end < 0:
        return raw_path[1:], b"/"
    return raw_path[1:end], raw_path[end:]


class StageNames:
    """Stages by API and by the bytes of the path's first segment."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._stages = {(api.id, stage.name.encode()): stage for api in apis.values() for stage in api.stages.values()}

    def find(self, api: Api, segment: bytes) -> Stage | None:
        return self._stages.get((api.id, segment))
