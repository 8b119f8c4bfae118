"""Messages as they are on the wire to nats-server."""

import pytest

from harness.storage.outlet import framed, framed_plain


def test_a_message_says_how_long_its_headers_are_and_how_long_it_is() -> None:
    frame = framed("bus.x", "_INBOX.1.2", {"Nats-Msg-Id": "é"}, b"body")
    head = "NATS/1.0\r\nNats-Msg-Id: é\r\n\r\n".encode()
    assert frame == b"HPUB bus.x _INBOX.1.2 %d %d\r\n" % (len(head), len(head) + 4) + head + b"body\r\n"


def test_a_message_without_headers() -> None:
    assert framed_plain("$JS.ACK.x", b"+ACK") == b"PUB $JS.ACK.x 4\r\n+ACK\r\n"


@pytest.mark.parametrize("value", ["a\r\nNats-Msg-Id: other", "a\nb", "a\rb", "\r\n"])
def test_a_header_cannot_bring_another(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        framed("bus.x", "r", {"Trace-Header": value}, b"")
