"""PutEvents: what is wrong with a request or an entry, and the events that its good entries become.

Source: EventBridge API reference, PutEvents; texts as AWS answers them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson

from harness.bus.envelope import make_envelope, to_bytes
from harness.bus.store import TRACE, Record

MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 1_048_576
# Of a list that is too long, no more is looked at or repeated in the refusal than this.
MAX_ENTRIES_READ = 1000
MAX_ECHO_CHARACTERS = 65_536
MAX_NESTING = 1000
MAX_DETAIL_TYPE_CHARACTERS = 128
TIME_BYTES = 14
INT64 = range(-(2**63), 2**63)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EntryError:
    """The error of one entry; the others go on."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RequestError:
    """Nothing of the request is done. `type` as in `__type`."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A good entry. `bus` is a name or an ARN, `detail` parsed, `time` None when the entry carries none."""

    source: str
    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...]
    bus: str
    time: datetime | None
    trace: str

    def record(
        self, *, event_id: str, account: str, region: str, now: datetime, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Record:
        envelope = make_envelope(
            event_id=event_id,
            detail_type=self.detail_type,
            source=self.source,
            account=account,
            time=self.time or now,
            region=region,
            resources=self.resources,
            detail=self.detail,
        )
        return Record(event_id, to_bytes(envelope), {**headers, TRACE: self.trace} if self.trace else headers)


def read_request(payload: object, *, max_bytes: int = MAX_REQUEST_BYTES) -> RequestError | list[Entry | EntryError]:
    """One outcome for each entry, in their order."""
    if not isinstance(payload, dict):
        return RequestError("SerializationException", "Start of structure or map found where not expected.")
    entries = payload.get("Entries")
    if entries is None:
        return _constraint("null", "Member must not be null")
    if not isinstance(entries, list):
        return RequestError("SerializationException", "Unexpected field type")
    if not entries:
        return _constraint("'[]'", "Member must have length greater than or equal to 1")
    for entry in entries[:MAX_ENTRIES_READ]:
        wrong = _wrong_type(entry)
        if wrong is not None:
            return wrong
    if len(entries) > MAX_ENTRIES:
        shown = ", ".join(map(_shown, entries[:MAX_ENTRIES_READ]))[:MAX_ECHO_CHARACTERS]
        return _constraint(f"'[{shown}]'", f"Member must have length less than or equal to {MAX_ENTRIES}")
    if sum(map(entry_bytes, entries)) > max_bytes:
        text = "Total size of the entries in the request is over the limit."
        return RequestError("ValidationException", text)
    return [read_entry(entry) for entry in entries]


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """The size that AWS counts: 14 for a Time, and the UTF-8 lengths of the texts."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or []
    return (TIME_BYTES if entry.get("Time") is not None else 0) + sum(len(text.encode()) for text in texts)


def read_entry(entry: Mapping[str, Any]) -> Entry | EntryError:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return _invalid(name, f"{name} is a required argument.")
    if len(entry["DetailType"]) > MAX_DETAIL_TYPE_CHARACTERS:
        return _invalid("DetailType", f"DetailType is longer than {MAX_DETAIL_TYPE_CHARACTERS} characters.")
    if entry["Source"].startswith("aws."):
        return EntryError("NotAuthorizedForSourceException", "Not authorized for the source.")
    trace = entry.get("TraceHeader") or ""
    if not re.fullmatch(r"[\x20-\x7e]{0,500}", trace):
        return _invalid("TraceHeader", "TraceHeader must be up to 500 printable characters.")
    time = entry.get("Time")
    try:
        instant = None if time is None else datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return _invalid("Time", "Time is out of range.")
    detail = parse_detail(entry["Detail"])
    if detail is None:
        return EntryError("MalformedDetail", "Detail is malformed.")
    return Entry(
        source=entry["Source"],
        detail_type=entry["DetailType"],
        detail=detail,
        resources=tuple(entry.get("Resources") or ()),
        bus=entry.get("EventBusName") or "default",
        time=instant,
        trace=trace,
    )


def parse_detail(text: str) -> Mapping[str, Any] | None:
    """A JSON object with integers of 64 bits, nested at most 1000 deep; None for anything else."""
    try:
        detail = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(detail, dict):
        return None
    if re.search(r"\d{19}", text) and not _integers_fit(text):
        return None
    if text.count("{") + text.count("[") > MAX_NESTING and _depth(detail) > MAX_NESTING:
        return None
    return detail


def _integers_fit(text: str) -> bool:
    """Looks at the integers as written, outside strings; the parser has made floats of the largest."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    written = re.findall(r"(?<![\d.eE+-])-?\d+(?![\d.eE])", bare)
    return all(int(number) in INT64 for number in written)


def _depth(value: object) -> int:
    level: list[object] = [value]
    depth = 0
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += 1 if containers else 0
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_MEMBERS: dict[str, Callable[[object], bool]] = {
    "Source": _is_text,
    "DetailType": _is_text,
    "Detail": _is_text,
    "EventBusName": _is_text,
    "TraceHeader": _is_text,
    "Resources": _is_texts,
    "Time": _is_number,
}


def _wrong_type(entry: object) -> RequestError | None:
    if not isinstance(entry, dict):
        return RequestError("SerializationException", "Unexpected field type")
    for name, fits in _MEMBERS.items():
        value = entry.get(name)
        if value is not None and not fits(value):
            return RequestError("SerializationException", f"Unexpected field type: {name}")
    return None


def _constraint(shown: str, rule: str) -> RequestError:
    text = f"1 validation error detected: Value {shown} at 'entries' failed to satisfy constraint: {rule}"
    return RequestError("ValidationException", text)


def _shown(entry: Mapping[str, Any]) -> str:
    names = {
        "time": "Time",
        "source": "Source",
        "resources": "Resources",
        "detailType": "DetailType",
        "detail": "Detail",
        "eventBusName": "EventBusName",
    }
    members: Sequence[str] = [f"{shown}={_value(entry.get(name))}" for shown, name in names.items()]
    return f"PutEventsRequestEntry({', '.join(members)})"


def _value(value: object) -> str:
    if value is None:
        return "null"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _invalid(name: str, reason: str) -> EntryError:
    return EntryError("InvalidArgument", f"Parameter {name} is not valid. Reason: {reason}")
