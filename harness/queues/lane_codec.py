"""A lane's claims as bytes, and the names of lanes."""

import hashlib

import orjson

from harness.queues.index import Claim, Lane


def own_lane(sequence: int) -> str:
    """Of a message in a standard queue."""
    return f"s{sequence}"


def group_lane(group: str) -> str:
    """Of a message group: groups have any characters, names of lanes do not."""
    return f"g{hashlib.sha256(group.encode()).hexdigest()[:32]}"


def lane_to_bytes(lane: Lane) -> bytes:
    claims = {
        str(sequence): [claim.receipt, claim.at, claim.until, claim.first, claim.count, claim.attempt]
        for sequence, claim in lane.claims.items()
    }
    return orjson.dumps({"claims": claims, "erased": lane.erased})


def lane_from_bytes(key: str, data: bytes, revision: int) -> Lane:
    content = orjson.loads(data)
    claims = {int(sequence): Claim(*fields) for sequence, fields in content["claims"].items()}
    return Lane(key, claims, tuple(content["erased"]), revision)
