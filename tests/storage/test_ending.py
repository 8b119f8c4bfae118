"""A task is ended for certain, also one that misses its first cancellation."""

import asyncio

import pytest

from harness.storage.ending import ended

pytestmark = pytest.mark.anyio


async def test_a_task_that_forgets_a_cancellation_is_cancelled_again() -> None:
    forgotten = 0

    async def forgetful() -> None:
        nonlocal forgotten
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                forgotten += 1
                if forgotten == 2:
                    raise

    tasks = [asyncio.create_task(forgetful()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await ended(tasks)
    assert forgotten == 2
    assert all(task.done() for task in tasks)
