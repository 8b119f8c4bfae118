"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.25


async def ended(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Returns when all have ended, whatever they ended with.

    Cancelled again until they do: before Python 3.12 `asyncio.wait_for`, under every request to the server, forgets a
    cancellation that comes together with the answer.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
