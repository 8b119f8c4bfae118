"""Which API and which stage a request is for, by the listener, the host name or `x-apigw-api-id`.

Whoever names the API in two ways must name the same one: a request that could be read as a call of either of two APIs
is refused, so that it is never authorised for one and sent to the other.
"""

from collections.abc import Mapping
from enum import Enum

from harness.gateway.api import Api, Stage
from harness.wire import NetworkPlace


class Unclear(Enum):
    """Two names of an API that differ, or a host name that is not one of ours."""

    UNCLEAR = "unclear"


UNCLEAR = Unclear.UNCLEAR
_MARK = ".execute-api."
_ALIAS_MARK = "-vpce-"
# Clients choose what stands in Host: what is remembered of it is bounded, and what is read of it costs little.
_MOST_KNOWN = 1024


class ApiNames:
    """Reads the API's id out of a request. An empty string: no API is named, the request is for an AWS service."""

    def __init__(self, region: str) -> None:
        self._suffixes = frozenset({"localhost", f"{region}.amazonaws.com"})
        self._endpoint_suffix = f"{region}.vpce.amazonaws.com"
        self._known: dict[tuple[str, str, bytes, bytes | None], str | Unclear] = {}

    def named(self, place: NetworkPlace, host: bytes, header: bytes | None) -> str | Unclear:
        """`host` and `header` are the values of `Host` and `x-apigw-api-id`; `host` may have a port."""
        key = (place.vpce_id, place.api, host, header)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[key] = self._read(place, host, header)
        return known

    def _read(self, place: NetworkPlace, host: bytes, header: bytes | None) -> str | Unclear:
        by_host = self._read_host(host)
        if isinstance(by_host, Unclear):
            return UNCLEAR
        api, endpoint = by_host
        # An alias name leads to that endpoint and no other.
        if endpoint and endpoint != place.vpce_id:
            return UNCLEAR
        if header is not None:
            by_header = header.decode("latin-1")
            if not by_header or (api and api != by_header):
                return UNCLEAR
            api = by_header
        if place.api:
            if api and api != place.api:
                return UNCLEAR
            api = place.api
        return api

    def _read_host(self, host: bytes) -> tuple[str, str] | Unclear:
        """The API and the VPC endpoint that a host name stands for, each empty when it names none."""
        name = host.decode("latin-1").lower().partition(":")[0].removesuffix(".")
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
