"""From what happened to the answer that the contract documents for it: status, headers, body."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from harness.contracts.stub.compose import Composer
from harness.contracts.stub.generate import Generator
from harness.contracts.stub.operations import Header, Operation, Response, Version, is_json
from harness.contracts.stub.validation import BROKEN, Fault, Rejected
from harness.wire import HeaderList, HttpResponse

PROBLEM: Final = "application/problem+json"
_BODILESS: Final = frozenset({204, 304})
# Beyond Latin 1 there are no header values (RFC 9110 section 5.5); a line break would begin another header.
_UNSAFE: Final = dict.fromkeys([*range(32), 127], None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`given`: what is known of the body beyond the example. `exactly`: as it is, if the schema takes it so.

    `body` stands before all of that, where it is set: (value,). `headers`: candidates for each name in lower case, the
    first that its schema takes is sent.
    """

    status: int
    given: Any = None
    exactly: bool = False
    body: tuple[Any] | None = None
    forget: frozenset[str] = frozenset()
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    example: str = ""


class Answers:
    def __init__(self, version: Version, generator: Generator) -> None:
        self._version = version
        self._composer = Composer(generator)

    def told(self, operation: Operation, outcome: Outcome) -> HttpResponse:
        """An outcome whose status the operation documents."""
        response = operation.response(outcome.status)
        if response is None:
            return plain_problem(outcome.status, "the contract documents no answer for this")
        headers = [
            (header.name.lower().encode("latin-1"), _text(_chosen(header, outcome)).encode("latin-1", "replace"))
            for header in response.headers
            if header.required or header.name.lower() in outcome.headers or outcome.status < 400
        ]
        if outcome.status in _BODILESS or not response.media or response.shape is None:
            return HttpResponse(outcome.status, headers, b"")
        headers.insert(0, (b"content-type", response.media.encode("latin-1", "replace")))
        if operation.method == "HEAD":
            return HttpResponse(outcome.status, headers, b"")
        return HttpResponse(outcome.status, headers, _bytes(response.media, self._body(response, outcome)))

    def rejected(self, operation: Operation, rejected: Rejected) -> HttpResponse:
        """With the first of the fitting statuses that the operation documents, else the last resort of HTTP."""
        errors = [
            {"code": each.code, "detail": each.detail}
            | ({"parameter": each.parameter} if each.parameter else {"pointer": each.pointer})
            for each in rejected.faults
        ]
        first = rejected.faults[0]
        detail = f"{first.parameter or first.pointer}: {first.detail}"
        status = next((each for each in rejected.statuses if operation.documents(each)), None)
        if status is None and "default" not in operation.responses:
            return plain_problem(rejected.statuses[0], detail, errors=errors)
        return self.problem(operation, status or rejected.statuses[0], detail, errors=errors)

    def problem(
        self, operation: Operation, status: int, detail: str, *, errors: Sequence[Mapping[str, Any]] = ()
    ) -> HttpResponse:
        given = {"status": status, "detail": detail, "errors": list(errors)}
        return self.told(operation, Outcome(status, given, exactly=True))

    def wished(self, operation: Operation, code: str, example: str) -> HttpResponse:
        """The documented answer of a status, or with an example, that was asked for."""
        if not code:
            code = next((key for key, each in operation.responses.items() if example in each.examples), "")
            if not code.isdecimal():
                return self._no_such(operation, f"the contract has no example {example[:40]} here")
        response = operation.response(int(code)) if code.isdecimal() and len(code) == 3 else None
        if response is None or not 200 <= int(code) <= 599:
            known = ", ".join(operation.responses)
            return self._no_such(operation, f"the contract documents {known} here, not {code[:20]}")
        answer = self.told(operation, Outcome(int(code), example=example))
        applied = (b"preference-applied", f"code={code}".encode())
        return HttpResponse(answer.status, (*answer.headers, applied), answer.body)

    def _no_such(self, operation: Operation, detail: str) -> HttpResponse:
        return self.rejected(operation, Rejected(BROKEN, [Fault("unknown", detail, parameter="Prefer")]))

    def _body(self, response: Response, outcome: Outcome) -> Any:
        base = response.example(outcome.example)
        assert response.shape is not None
        if outcome.body is not None and response.shape.fits(outcome.body[0]):
            return outcome.body[0]
        if outcome.forget:
            base = self._composer.without(response.shape, base, lambda name: name in outcome.forget)
        if outcome.given is None:
            return base
        return self._composer.overlaid(response.shape, base, outcome.given, exactly=outcome.exactly)


def plain_problem(
    status: int, detail: str, headers: HeaderList = (), *, errors: Sequence[Mapping[str, Any]] = ()
) -> HttpResponse:
    """RFC 9457, for what the contract says nothing of."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = list(errors)
    return HttpResponse(status, ((b"content-type", PROBLEM.encode()), *headers), _bytes(PROBLEM, content))


def _chosen(header: Header, outcome: Outcome) -> Any:
    for candidate in outcome.headers.get(header.name.lower(), ()):
        if header.shape.fits(candidate):
            return candidate
    return header.value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    text = json.dumps(value) if isinstance(value, dict) else str(value)
    return text.translate(_UNSAFE)


def _bytes(media: str, value: Any) -> bytes:
    if is_json(media):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
