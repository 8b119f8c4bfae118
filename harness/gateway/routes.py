"""The routes of one stage, compiled from its OpenAPI contract into a tree of path segments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import InputError, Problem
from harness.gateway.identifiers import stable_id
from harness.gateway.paths import decode

METHODS = {name: name.upper() for name in ("get", "put", "post", "delete", "options", "head", "patch", "trace")}
# API Gateway's extension for a method that takes every verb.
ANY_METHOD = "x-amazon-apigateway-any-method"
ANY = "ANY"
_VERBS = frozenset(METHODS.values())


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """`template` is the contract's path (`/orders/{order_id}`), `resource_id` API Gateway's name of the resource."""

    method: str
    template: str
    resource_id: str


@dataclass(slots=True)
class _Node:
    methods: dict[str, Route] = field(default_factory=dict)
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    greedy: "_Node | None" = None  # `{proxy+}`: this segment and all below it


class RouteTable:
    """Matches the path below the stage. Case-sensitive; a literal segment beats a parameter, that beats `{proxy+}`.

    The path decides first and alone, then the method: as in API Gateway, `DELETE /orders/recent` is unknown when
    `/orders/recent` has no DELETE, whatever `/orders/{order_id}` has.
    """

    __slots__ = ("_root", "routes")

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._root = _Node()
        for route in routes:
            self._place(route)

    @classmethod
    def from_openapi(cls, document: Mapping[str, Any], *, file: str = "") -> "RouteTable":
        """Raises InputError naming every template that API Gateway would not take."""
        problems: list[Problem] = []
        routes: list[Route] = []
        shapes: dict[str, str] = {}
        for template, item in document.get("paths", {}).items():
            trouble = _template_problem(template) or _clash(template, shapes)
            if trouble:
                problems.append(Problem(file, 0, f"path {template}: {trouble}"))
                continue
            routes += (Route(method, template, stable_id(template)) for method in _methods(item))
        if problems:
            raise InputError(problems)
        return cls(tuple(routes))

    def match(self, method: str, path: str) -> Route | None:
        """`path` begins with `/`; one trailing slash does not matter. Escapes are decoded segment by segment."""
        segments = path.split("/")
        if segments[-1] == "" and len(segments) > 1:
            segments.pop()
        if "%" in path:
            segments = [decode(segment) for segment in segments]
        node = _find(self._root, segments, 1)
        if node is None:
            return None
        # `x-http-method-override` may hold any text: only a verb is any verb.
        return node.methods.get(method) or (node.methods.get(ANY) if method in _VERBS else None)

    def _place(self, route: Route) -> None:
        node = self._root
        for segment in route.template.rstrip("/").split("/")[1:]:
            if segment.startswith("{") and segment.endswith("+}"):
                node.greedy = node.greedy or _Node()
                node = node.greedy
            elif segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.methods[route.method] = route


def _find(node: _Node, segments: list[str], at: int) -> _Node | None:
    while at < len(segments):
        segment = segments[at]
        literal, parameter = node.literals.get(segment), node.parameter if segment else None
        # Where there is one way only, nothing is to be come back to.
        if node.greedy is None and (literal is None or parameter is None):
            following = literal or parameter
            if following is None:
                return None
            node = following
            at += 1
            continue
        for following in (literal, parameter):
            found = _find(following, segments, at + 1) if following is not None else None
            if found is not None:
                return found
        return node.greedy if node.greedy is not None and all(segments[at:]) else None
    return node if node.methods else None


def _methods(item: Mapping[str, Any]) -> Iterator[str]:
    for key in item:
        if key in METHODS:
            yield METHODS[key]
        elif key == ANY_METHOD:
            yield ANY


def _template_problem(template: str) -> str:
    """API Gateway takes a parameter only as a whole segment, and `{name+}` only as the last one."""
    if not template.startswith("/"):
        return "begin it with /"
    segments = template.rstrip("/").split("/")[1:]
    for position, segment in enumerate(segments, start=1):
        if not segment:
            return "an empty segment can never be requested; remove the double slash"
        if "{" not in segment and "}" not in segment:
            continue
        name = segment[1:-1]
        if not (segment[0] == "{" and segment[-1] == "}" and name) or "{" in name or "}" in name:
            return f"segment {segment}: a parameter must be the whole segment, as in /orders/{{order_id}}"
        if name.endswith("+") and position != len(segments):
            return f"segment {segment}: a greedy parameter must come last"
    return ""


def _clash(template: str, shapes: dict[str, str]) -> str:
    shape = "/".join(
        ("{+}" if part.endswith("+}") else "{}") if part.startswith("{") else part
        for part in template.rstrip("/").split("/")
    )
    other = shapes.setdefault(shape, template)
    return f"matches the same requests as {other}; keep one" if other != template else ""
