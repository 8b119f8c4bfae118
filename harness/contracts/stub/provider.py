"""The provider: finds the operation, judges the request, and answers as the contract documents it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from harness.contracts.stub.answers import Answers, plain_problem
from harness.contracts.stub.generate import Generator
from harness.contracts.stub.operations import Operation, Version, read_version
from harness.contracts.stub.resources import MOST_BYTES, MOST_REMEMBERED, parameter_of
from harness.contracts.stub.stateful import Stateful
from harness.contracts.stub.validation import Fault, Rejected, judge
from harness.wire import EVENTS_PATH, READINESS_PATH, HttpRequest, HttpResponse

_PREFERENCE: Final = re.compile(r'\s*([A-Za-z-]+)\s*=\s*("[^"]*"|[^\s,;"]+)\s*')
IDEMPOTENCY_KEY: Final = "idempotency-key"


class Provider:
    """`versions`: parsed contracts by name (`v2`). `files`: their names in messages.

    The same seed and the same requests give the same answers. Raises `InputError` for a contract that leaves no answer.
    """

    def __init__(
        self,
        versions: Mapping[str, Mapping[str, Any]],
        *,
        files: Mapping[str, str] | None = None,
        seed: int = 1,
    ) -> None:
        self._stages: list[_Stage] = []
        for name, content in versions.items():
            generator = Generator(Random(f"{seed} {name}"))
            version = read_version(name, content, generator, file=(files or {}).get(name, name))
            self._stages.append(_Stage(version, generator))
        self._stages.sort(key=lambda stage: len(stage.version.base), reverse=True)

    @property
    def remarks(self) -> list[str]:
        """Examples that are not used, and why."""
        return [remark for stage in self._stages for remark in stage.version.remarks]

    def answer(self, request: HttpRequest) -> HttpResponse:
        path = request.raw_path.decode("latin-1")
        if path == READINESS_PATH:
            return HttpResponse(200, ((b"content-type", b"application/json"),), b'{"status":"ok"}')
        if path == EVENTS_PATH and request.method == "POST":
            return HttpResponse(204, (), b"")
        for stage in self._stages:
            if path == stage.version.base or path.startswith(stage.version.base + "/"):
                return stage.answer(request, path[len(stage.version.base) :])
        return plain_problem(404, "there is no such path in any version of the contract")


class _Stage:
    """One version, with resources of its own."""

    def __init__(self, version: Version, generator: Generator) -> None:
        self.version = version
        self._answers = Answers(version, generator)
        self._stateful = Stateful(version, generator, self._answers)
        self._remembered: dict[tuple[str, str, str], tuple[bytes, HttpResponse]] = {}
        self._remembered_bytes = 0

    def answer(self, request: HttpRequest, path: str) -> HttpResponse:
        parts = _decoded(path)
        found = _find(self.version, parts) if parts is not None else []
        if not found or parts is None:
            return plain_problem(404, "the contract has no such path")
        operation = next((each for each in found if each.method == request.method), None)
        if operation is None:
            allowed = ", ".join(sorted(each.method for each in found))
            return plain_problem(405, f"the contract has {allowed} here", ((b"allow", allowed.encode()),))
        return self._operation(operation, request, _path_values(operation, parts))

    def _operation(self, operation: Operation, request: HttpRequest, path: Mapping[str, str]) -> HttpResponse:
        asked = judge(operation, request, path)
        if isinstance(asked, Rejected):
            return self._answers.rejected(operation, asked)
        wished = _preferences(request)
        if wished.keys() & {"code", "example"}:
            return self._answers.wished(operation, wished.get("code", ""), wished.get("example", ""))
        key = asked.headers.get(IDEMPOTENCY_KEY)
        if not isinstance(key, str):
            return self._answers.told(operation, self._stateful.outcome(operation, asked))
        slot = (operation.method, request.raw_path.decode("latin-1"), key.strip('"'))
        digest = hashlib.sha256(request.body).digest()
        before = self._remembered.get(slot)
        if before is not None and before[0] == digest:
            return before[1]
        if before is not None:
            fault = Fault("reused", "was used for another body", parameter="Idempotency-Key")
            return self._answers.rejected(operation, Rejected((422, 400), [fault]))
        answer = self._answers.told(operation, self._stateful.outcome(operation, asked))
        self._remembered[slot] = (digest, answer)
        self._remembered_bytes += len(answer.body)
        while len(self._remembered) > MOST_REMEMBERED or self._remembered_bytes > MOST_BYTES:
            self._remembered_bytes -= len(self._remembered.pop(next(iter(self._remembered)))[1].body)
        return answer


def _decoded(path: str) -> list[str] | None:
    """Segments with their escapes decoded; one trailing slash does not matter. None where they are not UTF-8."""
    segments = path.split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    try:
        return [unquote_to_bytes(segment).decode() for segment in segments]
    except UnicodeDecodeError:
        return None


def _find(version: Version, parts: Sequence[str]) -> list[Operation]:
    """The operations of the template that matches best: a literal segment beats a parameter, that beats `{proxy+}`."""
    found: dict[tuple[int, ...], list[Operation]] = {}
    for operation in version.operations.values():
        rank = _rank(operation.segments, parts)
        if rank is not None:
            found.setdefault(rank, []).append(operation)
    return found[min(found)] if found else []


def _rank(segments: Sequence[str], parts: Sequence[str]) -> tuple[int, ...] | None:
    greedy = bool(segments) and segments[-1].endswith("+}")
    if len(parts) < len(segments) or (len(parts) > len(segments) and not greedy):
        return None
    rank = []
    for segment, part in zip(segments, parts, strict=False):
        if parameter_of(segment):
            if not part:
                return None
            rank.append(2 if segment.endswith("+}") else 1)
        elif segment == part:
            rank.append(0)
        else:
            return None
    return tuple(rank)


def _path_values(operation: Operation, parts: Sequence[str]) -> dict[str, str]:
    values = {}
    for position, segment in enumerate(operation.segments):
        name = parameter_of(segment)
        if name:
            values[name] = "/".join(parts[position:]) if segment.endswith("+}") else parts[position]
    return values


def _preferences(request: HttpRequest) -> dict[str, str]:
    """`Prefer: code=404, example=NAME` (RFC 7240); what else may stand there is ignored."""
    text = ",".join(value.decode("latin-1") for name, value in request.headers if name == b"prefer")
    found: dict[str, str] = {}
    for part in re.split("[,;]", text):
        pair = _PREFERENCE.fullmatch(part)
        if pair:
            found.setdefault(pair[1].lower(), pair[2].strip('"'))
    return found
