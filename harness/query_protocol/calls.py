"""The query protocol, which STS and IAM speak: parameters as a form, in the body of a POST or in the query of a GET.

Lists are `Tags.member.1.Key`, numbered from 1. Source: botocore's models of sts 2011-06-15 and iam 2010-05-08,
protocol `query`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from harness.query_protocol.answers import Refusal
from harness.wire import HttpRequest

MAX_FORM_BYTES = 262_144
"""Read before it is known who calls: ten megabytes of escapes would stop the edge for seconds. STS's longest call that
meets every constraint is shorter, with all of it percent-encoded; a service with longer ones says so."""
_MAX_PARAMETERS = 500

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation asked for: its name and its parameters, as sent."""

    action: str
    parameters: Parameters


def read_call(
    request: HttpRequest, version: str, *, most: int = _MAX_PARAMETERS, longest: int = MAX_FORM_BYTES
) -> Call | Refusal:
    """Parameters of the query and of a form body together; a parameter given twice is refused."""
    parameters: dict[str, str] = {}
    if len(request.raw_query) + len(request.body) > longest:
        return Refusal("RequestEntityTooLarge", "Request Entity Too Large", 413)
    try:
        for part in (request.raw_query, request.body if request.method == "POST" else b""):
            for name, value in parse_qsl(
                part.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most
            ):
                if name in parameters:
                    return Refusal("MalformedQueryString", f"Parameter {name} is given more than once")
                parameters[name] = value
    except ValueError:  # not ASCII, not UTF-8 behind the percent signs, or too many fields
        return Refusal("MalformedQueryString", "The query string contains a syntax error")
    action = parameters.get("Action", "")
    if not action:
        return Refusal("MissingAction", "The request is missing an action or a required parameter")
    asked = parameters.get("Version", "NO_VERSION_SPECIFIED")
    if asked != version:
        return unknown_operation(action, asked)
    return Call(action, parameters)


def unknown_operation(action: str, version: str) -> Refusal:
    return Refusal("InvalidAction", f"Could not find operation {action} for version {version}")


def members(parameters: Parameters, name: str) -> tuple[Parameters, ...]:
    """A list parameter, one mapping for each member in order of its number; a scalar member has the single key
    ``""``.
    """
    pattern = re.compile(rf"{re.escape(name)}\.member\.([1-9][0-9]{{0,3}})(?:\.(.+))?", re.ASCII)
    found: dict[int, dict[str, str]] = {}
    for key, value in parameters.items():
        match = pattern.fullmatch(key)
        if match:
            found.setdefault(int(match[1]), {})[match[2] or ""] = value
    return tuple(found[number] for number in sorted(found))
