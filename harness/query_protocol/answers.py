"""Answers of the query protocol as XML. Source: the API references of STS and IAM, the examples of each operation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.sax.saxutils import escape

from harness.wire import HttpResponse

# What XML 1.0 (section 2.2) cannot carry, not even escaped: a caller's value is echoed in validation errors.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of the service: its `Code`, `Message` and HTTP status."""

    code: str
    message: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Entries:
    """A member that is a map of strings, `<entry><key/><value/></entry>`; a bare mapping is a structure."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flat:
    """A list whose items stand side by side, each under the member's own name."""

    items: "Sequence[Member]"


Member: TypeAlias = "str | int | Entries | Flat | Mapping[str, Member] | Sequence[Member]"
Members: TypeAlias = Mapping[str, Member]
"""The members of a result: nested structures as mappings, lists as sequences."""


def result(namespace: str, operation: str, content: Members, request_id: str) -> HttpResponse:
    return _xml(
        200,
        f'<{operation}Response xmlns="{namespace}">\n'
        f"  <{operation}Result>\n{_render(content, depth=2)}  </{operation}Result>\n"
        f"  <ResponseMetadata>\n    <RequestId>{_text(request_id)}</RequestId>\n  </ResponseMetadata>\n"
        f"</{operation}Response>\n",
    )


def error(namespace: str, refusal: Refusal, request_id: str) -> HttpResponse:
    return _xml(
        refusal.status,
        f'<ErrorResponse xmlns="{namespace}">\n'
        f"  <Error>\n    <Type>{'Sender' if refusal.status < 500 else 'Receiver'}</Type>\n"
        f"    <Code>{refusal.code}</Code>\n"
        f"    <Message>{_text(refusal.message)}</Message>\n  </Error>\n"
        f"  <RequestId>{_text(request_id)}</RequestId>\n"
        f"</ErrorResponse>\n",
    )


def _render(content: Members, *, depth: int) -> str:
    return "".join(_element(name, value, depth) for name, value in content.items())


def _element(name: str, value: Member, depth: int) -> str:
    indent = "  " * depth
    match value:
        case bool():
            return f"{indent}<{name}>{str(value).lower()}</{name}>\n"
        case str() | int():
            return f"{indent}<{name}>{_text(str(value))}</{name}>\n"
        case Flat():
            return "".join(_element(name, item, depth) for item in value.items)
        case Entries():
            inner = "".join(
                _element("entry", {"key": key, "value": text}, depth + 1) for key, text in value.values.items()
            )
        case Mapping():
            inner = _render(value, depth=depth + 1)
        case _:
            inner = "".join(_element("member", item, depth + 1) for item in value)
    return f"{indent}<{name}>\n{inner}{indent}</{name}>\n" if inner else f"{indent}<{name}/>\n"


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value))


def _xml(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, ((b"content-type", b"text/xml"),), text.encode())
