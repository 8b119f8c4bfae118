"""Messages as NATS's protocol has them, and the way to write many of them at once.

The client's own `publish` frames, checks and flushes each message by itself, which costs more than all else that is
done with one. Source: NATS client protocol, HPUB and PUB; ADR-4 of NATS (headers).
"""

from collections.abc import Mapping

import nats.errors
from nats.aio.client import Client


class Outlet:
    """Writes behind whatever the client writes itself, in the order of the calls."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def most_bytes(self) -> int:
        """Of one message, headers and body."""
        return self._client.max_payload

    async def write(self, frames: bytes) -> None:
        """What is written while the connection is lost waits for the next one, as far as there is room."""
        client = self._client
        if client.is_closed:
            raise nats.errors.ConnectionClosedError
        if client.is_draining_pubs:
            raise nats.errors.ConnectionDrainingError
        if not client.is_connected and client.pending_data_size + len(frames) > client._max_pending_size:
            raise nats.errors.OutboundBufferLimitError
        await client._send_command(frames)
        if client._flush_queue is not None and client._flush_queue.empty():
            await client._flush_pending()


def framed(subject: str, reply: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """With headers. Subjects and header names are the program's own; a value with a line break is none."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
        raise ValueError(f"a header of a message for {subject} has a line break")
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject.encode(),
        reply.encode(),
        len(head),
        len(head) + len(body),
        head,
        body,
    )


def framed_plain(subject: str, body: bytes) -> bytes:
    """Without headers and without an answer."""
    return b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(body), body)
