"""Who waits for a connection waits its time, and no longer, without a timer of its own."""

import asyncio

import pytest

from carepost.delivery import pool
from carepost.delivery.pool import Pool

pytestmark = pytest.mark.fast


def test_who_has_waited_long_enough_is_let_go_and_nobody_else() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        one = Pool(1)
        assert one.room() and not one.room()
        first = asyncio.ensure_future(one.turn())
        bulk = asyncio.ensure_future(one.turn(bulk=True))
        await asyncio.sleep(0)
        one.late(loop.time() + pool.TURN - 1)
        await asyncio.sleep(0)
        assert not first.done() and not bulk.done()
        one.late(loop.time() + pool.TURN + 1)
        for waiting in (first, bulk):
            with pytest.raises(TimeoutError):
                await waiting
        second = asyncio.ensure_future(one.turn())
        await asyncio.sleep(0)
        one.gave_up()
        await second
        assert one.empty

    asyncio.run(run())


def test_one_that_left_takes_nobodys_turn() -> None:
    async def run() -> None:
        one = Pool(1)
        assert one.room()
        left, stays = (asyncio.ensure_future(one.turn()) for _ in range(2))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        one.gave_up()
        await asyncio.wait_for(stays, 5)

    asyncio.run(run())
