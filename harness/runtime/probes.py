"""Asking a process how it is, with nothing but sockets: the supervisor stays small and starts fast."""

import asyncio
from urllib.parse import urlsplit

from harness.runtime.process import Probe

PROBE_SECONDS = 2.0


def http_probe(url: str) -> Probe:
    """Well when `GET url` answers 200."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> str | None:
        answer = await exchange(host, port, request)
        if isinstance(answer, str):
            return f"GET {url}: {answer}"
        status = answer.split(b" ", 2)[1:2]
        if status == [b"200"]:
            return None
        return f"GET {url} answers {status[0].decode('ascii', 'replace') if status else 'no HTTP'}"

    return probe


async def exchange(host: str, port: int, request: bytes, *, until: bytes = b"\n") -> bytes | str:
    """What a server sends up to and including `until` after `request`; as text, why there is no such answer."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                return await reader.readuntil(until)
            finally:
                writer.transport.abort()
    except ConnectionRefusedError:
        return "connection refused"
    except TimeoutError:
        return f"no answer within {PROBE_SECONDS:g} s"
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return "the connection was closed without an answer"
    except asyncio.LimitOverrunError:
        return "an answer of no known form"
    except OSError as error:
        return error.strerror or str(error)
