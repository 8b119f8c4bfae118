"""nats-py's client with a shorter way for confirmations, of which each stored message brings one.

The library makes an object of each message, puts it on a queue and wakes a task, which awaits the callback.
"""

from collections.abc import Callable

from nats.aio.client import Client

Take = Callable[[bytes, bytes], None]
"""The subject and the body of a message without headers. Raises nothing."""


class ShortClient(Client):
    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int, Take] = {}

    def take(self, subscription: int, taker: Take) -> None:
        """From now on the subscription's messages without headers go to `taker`; others to its callback, as before."""
        self._takers[subscription] = taker

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        taker = self._takers.get(sid)
        if taker is None or headers:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            taker(subject, data)
