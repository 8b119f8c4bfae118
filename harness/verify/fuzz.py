"""Schemathesis through the gateway: one operation of one contract version, every request signed.

Deterministic for a fresh landscape: one worker, a seed, no cache and no example database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from requests.auth import AuthBase
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.openapi.checks import JsonSchemaError

from harness.contracts import Operation

SIGNATURE_HEADERS = frozenset({"authorization", "x-amz-security-token"})


@dataclass(frozen=True, slots=True)
class FuzzSettings:
    """`max_examples` bounds the fuzzing phase of each operation; the coverage phase is bounded by the contract."""

    seed: int = 1
    max_examples: int = 40
    request_timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class FuzzFailure:
    """What a check found, with the request that shows it; `curl` has its signature masked."""

    title: str
    message: str
    request: str
    response: str

    def __str__(self) -> str:
        lines = [self.title, *_indent(self.message), "  sent:", *_indent(self.request, 4)]
        return "\n".join([*lines, "  answered:", *_indent(self.response, 4)])


@dataclass(slots=True)
class FuzzReport:
    """`cases` counts the requests sent, by phase."""

    operation: Operation
    cases: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[FuzzFailure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return sum(self.cases.values())


def fuzz(
    document: Mapping[str, Any],
    operation: Operation,
    *,
    base_url: str,
    auth: AuthBase,
    settings: FuzzSettings,
) -> FuzzReport:
    """Runs the coverage and fuzzing phases. `base_url` ends with the stage (`http://127.0.0.1:4566/v2`)."""
    schema = openapi.from_dict(dict(document), config=_config(base_url, settings))
    schema.auth.set_from_requests(auth)
    only = schema.include(method=operation.method, path=operation.path)
    report = FuzzReport(operation)
    found: dict[str, FuzzFailure] = {}
    for event in from_schema(only).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(event.phase.value, event.recorder, report)
            if event.status is Status.FAILURE:
                found.update(_failures(event.recorder))
        elif isinstance(event, events.NonFatalError):
            report.errors.append(str(event.value))
        elif isinstance(event, events.FatalError):
            report.errors.append(str(event.exception))
    report.failures = list(found.values())
    return report


def _config(base_url: str, settings: FuzzSettings) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": settings.seed,
            "cache": {"enabled": False},
            # How long a machine takes to make data says nothing of the provider.
            "suppress-health-check": ["too_slow"],
            "base-url": base_url,
            "workers": 1,
            "request-timeout": settings.request_timeout_seconds,
            "generation": {
                "database": "none",
                "max-examples": settings.max_examples,
                # The signature is the security parameter, and it is made from the final request.
                "with-security-parameters": False,
            },
            "phases": {
                "examples": {"enabled": True},
                "coverage": {"enabled": True, "unexpected-methods": []},
                "fuzzing": {"enabled": True, "extra-data-sources": {"responses": False}},
                "stateful": {"enabled": False},
            },
            "checks": {
                # A private API answers an unknown method 403, never 405 (MissingAuthenticationTokenException).
                "unsupported_method": {"enabled": False},
                # It sends the request again without the security parameters; unsigned calls have tests of their own.
                "ignored_auth": {"enabled": False},
                # Semantic refusals (RFC 9110, 422) answer well-formed requests too: an unknown SKU, for one.
                "positive_data_acceptance": {
                    "expected-statuses": [
                        "2xx",
                        "3xx",
                        "401",
                        "403",
                        "404",
                        "409",
                        "412",
                        "422",
                        "428",
                        "429",
                    ]
                },
                # A 5xx is never a proper answer to bad data.
                "negative_data_rejection": {
                    "expected-statuses": [
                        "400",
                        "403",
                        "404",
                        "406",
                        "409",
                        "412",
                        "413",
                        "414",
                        "415",
                        "422",
                        "428",
                    ]
                },
            },
        }
    )


def _count(phase: str, recorder: ScenarioRecorder, report: FuzzReport) -> None:
    report.cases[phase] = report.cases.get(phase, 0) + len(recorder.interactions)
    for interaction in recorder.interactions.values():
        status = interaction.response.status_code if interaction.response else 0
        report.statuses[status] = report.statuses.get(status, 0) + 1


def _failures(recorder: ScenarioRecorder) -> dict[str, FuzzFailure]:
    """Failures by title and field: the same finding from many requests, or in many items of a list, is told once."""
    found: dict[str, FuzzFailure] = {}
    for case_id, checks in recorder.checks.items():
        interaction = recorder.interactions.get(case_id)
        for check in checks:
            if check.status is not Status.FAILURE or check.failure_info is None:
                continue
            failure = check.failure_info.failure
            request = _show_request(interaction.request) if interaction else "(not sent)"
            response = _show_response(interaction.response) if interaction else "(none)"
            path = failure.instance_path if isinstance(failure, JsonSchemaError) else []
            field = "/".join("*" if isinstance(part, int) else str(part) for part in path)
            title = failure.title + (f" at {_pointer(path)}" if path else "")
            found.setdefault(
                f"{check.name}: {failure.title}: {field}",
                FuzzFailure(f"{title} ({check.name})", failure.message, request, response),
            )
    return found


def _pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 section 3."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _show_request(request: Any) -> str:
    lines = [f"{request.method} {request.uri}"]
    for name, values in request.headers.items():
        shown = "(masked)" if name.lower() in SIGNATURE_HEADERS else ", ".join(values)
        lines.append(f"{name}: {shown}")
    if request.body:
        lines += ["", request.body.decode("utf-8", "backslashreplace")]
    return "\n".join(lines)


def _show_response(response: Any) -> str:
    if response is None:
        return "(no answer)"
    body = (response.content or b"").decode("utf-8", "backslashreplace")
    return f"{response.status_code} {response.message}\n{body[:2000]}"


def _indent(text: str, width: int = 2) -> list[str]:
    return [f"{' ' * width}{line}" for line in text.splitlines()]
