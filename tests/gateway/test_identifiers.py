import re
import uuid

from harness.gateway.identifiers import Identifiers, stable_id


def test_the_request_id_is_a_version_4_uuid() -> None:
    for request_id in (Identifiers().draw(0)[0] for _ in range(64)):
        parsed = uuid.UUID(request_id)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, uuid.RFC_4122, request_id)


def test_the_extended_id_and_the_trace_id_have_amazons_form() -> None:
    _, extended_id, trace_id = Identifiers().draw(0x6968E5C0)
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", extended_id)
    assert re.fullmatch(r"Root=1-6968e5c0-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", trace_id)


def test_no_two_requests_share_an_identifier_across_refills() -> None:
    identifiers = Identifiers()
    drawn = [identifiers.draw(0) for _ in range(1000)]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == len(drawn)


def test_entropy_is_asked_for_in_bulk() -> None:
    asked: list[int] = []

    def entropy(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    identifiers = Identifiers(entropy)
    for _ in range(129):
        identifiers.draw(0)
    assert asked == [47 * 64] * 3


def test_a_stable_id_does_not_depend_on_the_process() -> None:
    assert stable_id("/orders") == "50n75i"
