"""Which statuses a consumer takes: the one of its example, or those of a matcher (version 4's `statusCode`)."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.contracts.consumers.matching_rules import STATUS_CLASSES, Matcher
from harness.contracts.consumers.pact_file import HttpExpectation
from harness.contracts.consumers.provider import Answer, Operation

Takes = Callable[[int], bool]


def takes_status(http: HttpExpectation) -> Takes:
    rule = http.response.rules_of("status").at(())
    if rule is None or not rule.matchers:
        return lambda status: status == http.status
    each = [_TABLE.get(matcher.name, _example)(matcher, http.status) for matcher in rule.matchers]
    quantifier = any if rule.any_of else all
    return lambda status: quantifier(one(status) for one in each)


def expects_refusal(http: HttpExpectation) -> bool:
    """Whoever takes nothing but refusals sends what is refused."""
    takes = takes_status(http)
    return not any(takes(status) for status in range(100, 400))


def answers(operation: Operation, http: HttpExpectation) -> Mapping[int, Answer]:
    """The contract's answers that are taken, by a status of each; the example's own status alone if it is there."""
    takes = takes_status(http)
    found = operation.answer(http.status)
    if found is not None and takes(http.status):
        return {http.status: found}
    known: dict[int, Answer] = {}
    for status in filter(takes, range(100, 600)):
        answer = operation.answer(status)
        if answer is not None and not any(answer is other for other in known.values()):
            known[status] = answer
    return known


def said_of_status(http: HttpExpectation) -> str:
    """For people: `404`, `clientError`, `200 or 201`."""
    for matcher in getattr(http.response.rules_of("status").at(()), "matchers", ()):
        status = matcher.attributes.get("status")
        if matcher.name == "statusCode" and status is not None:
            return str(status) if isinstance(status, str) else " or ".join(map(str, status))
    return str(http.status)


def _status_code(matcher: Matcher, _: int) -> Takes:
    wanted = matcher.attributes["status"]
    if isinstance(wanted, str):
        least, most = STATUS_CLASSES[wanted]
        return lambda status: least <= status <= most
    return lambda status: status in wanted


def _example(matcher: Matcher, example: int) -> Takes:
    wanted = matcher.attributes.get("value", example)
    return lambda status: status == wanted


def _any(_matcher: Any, _example: int) -> Takes:
    return lambda _: True


_TABLE: Mapping[str, Callable[[Matcher, int], Takes]] = {
    "statusCode": _status_code,
    "type": _any,
    "integer": _any,
    "number": _any,
}
