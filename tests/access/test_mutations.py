"""A signed call is let through as it is and in no other form: thousands of calls, each changed in many ways.

Every call is signed by botocore. An accepted change must leave alone all that a signature is about, by a reading of the
request that shares no code with the harness (`calls.meaning`); the classes of such changes are HARMLESS.
"""

from collections import Counter

import pytest

from tests.access.calls import Call, Caller, Gateway, meaning
from tests.access.mutations import HARMLESS, REFUSED

pytestmark = pytest.mark.slow

CALLS = 10_000
CHANGES_OF_EACH = 11
SEED = 20260115

# Changes of one byte that may happen to change nothing, or that draw the same value again.
MAY_CHANGE_NOTHING = {
    "byte of the query": "an escape's digit in the other case, or the space that + stands for",
    "byte of a header value": "one blank for another, or a blank at an end",
    "byte of the authorization": "one separator of its parts for the other",
    "a header twice": "a second Authorization header that is empty: an empty element of a list (RFC 9110 5.6.1)",
}


def same(call: Call, changed: Call) -> bool:
    """Whether no signature can tell the two apart. A `+` in a query may be meant either way."""
    signed = meaning(call.request)
    return any(meaning(changed.request, plus=plus) == signed for plus in (b" ", b"+"))


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway()


def test_what_botocore_signs_is_let_through_and_what_is_changed_is_refused(gateway: Gateway) -> None:
    caller = Caller(SEED)
    names = list(REFUSED)
    refused, unnoticed = Counter[str](), Counter[str]()
    valid = 0
    for call in caller.calls(CALLS):
        admitted = gateway.admits(call)
        assert admitted, f"a valid call was refused: {call}"
        valid += 1
        done = 0
        while done < CHANGES_OF_EACH:
            name = caller.random.choice(names)
            changed = REFUSED[name](call, caller.random, caller.sessions)
            if changed is None:
                continue
            done += 1
            got = gateway.admits(changed)
            if not got:
                refused[name] += 1
                continue
            assert got == admitted, f"{name}: let through as {got}: {changed}, made from {call}"
            assert same(call, changed), f"{name}: a changed call was let through: {changed}, made from {call}"
            unnoticed[name] += 1
    print(f"\n{valid} valid calls let through, {refused.total()} changed ones refused")
    print(f"let through, being the same call: {unnoticed.total()} {dict(unnoticed)}")
    assert valid >= 10_000
    assert refused.total() >= 100_000
    assert unnoticed.keys() <= MAY_CHANGE_NOTHING.keys()
    assert all(refused[name] > 500 for name in REFUSED), refused


@pytest.mark.parametrize("name", HARMLESS)
def test_a_change_that_no_signature_notices_is_let_through(gateway: Gateway, name: str) -> None:
    """So that the refusals above are known to be the signature's, not those of a gateway that refuses everything."""
    mutation, reason = HARMLESS[name]
    caller = Caller(SEED + 1)
    seen = 0
    for call in caller.calls(600):
        changed = mutation(call, caller.random, caller.sessions)
        if changed is None:
            continue
        seen += 1
        assert same(call, changed), f"{name} is not harmless because {reason}"
        assert gateway.admits(changed) == gateway.admits(call) != ""
    assert seen > 30
