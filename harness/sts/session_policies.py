"""Session policies of a request, and how much of the room for policies and tags a session takes."""

import zlib
from collections.abc import Mapping

import orjson

from harness.access import compile_session_policies
from harness.errors import InputError
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters, members

# AWS packs policies and tags into a binary form that it does not describe; ours is their JSON, deflated.
PACKED_BYTES = 4096


def read_session_policies(parameters: Parameters) -> tuple[str, ...] | Refusal | None:
    """The inline policy, compiled once here so that a malformed one is refused at the door; None without one."""
    arns = [member.get("arn", "") for member in members(parameters, "PolicyArns")]
    if arns:
        # A landscape has no managed policies.
        return Refusal("ValidationError", f"Policy {arns[0]} does not exist or is not attachable.")
    if "Policy" not in parameters:
        return None
    policies = (parameters["Policy"],)
    try:
        compile_session_policies(policies)
    except InputError as wrong:
        return Refusal("MalformedPolicyDocument", "; ".join(problem.text for problem in wrong.problems))
    return policies


def packed_percent(policies: tuple[str, ...] | None, tags: Mapping[str, str]) -> int:
    """Share of the room taken, in whole per cent, rounded up; 0 without policies and tags."""
    if not policies and not tags:
        return 0
    packed = zlib.compress(orjson.dumps([list(policies or ()), dict(tags)]), level=9)
    return -(-100 * len(packed) // PACKED_BYTES)


def too_large(policies: tuple[str, ...] | None, tags: Mapping[str, str]) -> Refusal | None:
    percent = packed_percent(policies, tags)
    if percent <= 100:
        return None
    return Refusal("PackedPolicyTooLarge", f"Packed size of session tags consumes {percent}% of allotted space.")
