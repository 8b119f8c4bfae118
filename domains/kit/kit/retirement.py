"""A version on its way out says so on every answer: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link`."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Retirement:
    """`version` and `successor` are path prefixes (`/v1`). Both instants are aware; sunset is the later one."""

    version: str
    successor: str
    deprecated: datetime
    sunset: datetime

    def __post_init__(self) -> None:
        if self.sunset < self.deprecated:
            raise ValueError("a version cannot be gone before it is deprecated (RFC 9745, 4)")

    def headers(self) -> dict[str, str]:
        return {
            "Deprecation": f"@{int(self.deprecated.timestamp())}",
            "Sunset": format_datetime(self.sunset, usegmt=True),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


class RetirementHeaders:
    """ASGI middleware: adds the headers to whatever answers below the version's prefix, refusals too."""

    def __init__(self, app: ASGIApp, retirement: Retirement) -> None:
        self._app = app
        self._prefix = retirement.version
        self._headers = retirement.headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._retired(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.append(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _retired(self, path: str) -> bool:
        return path == self._prefix or path.startswith(self._prefix + "/")
