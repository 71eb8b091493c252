"""Streams of one organisation: what is transactional does not wait behind marketing, not even to one destination."""

import asyncio

from tests.unit.queue import clinic
from tests.unit.queue.clinic import CLINIC, House
from tests.unit.queue.test_claim import backlog


async def test_transactional_mail_is_in_the_first_claim_before_a_large_marketing_backlog(house: House) -> None:
    await backlog(house, CLINIC, 20_000)
    queue = await house.queue()
    letter = clinic.message("ann@verified.test")
    await queue.accept(letter)
    claims = await queue.claim(20)
    assert letter.deliveries[0].id in [claim.delivery for claim in claims]
    assert sum(claim.stream == "bulk" for claim in claims) == 19, "and marketing goes on"


async def test_with_every_connection_busy_with_marketing_the_next_free_one_is_transactional(house: House) -> None:
    """At most `per_destination` go to one host at a time: the one that ends first makes room for it."""
    await backlog(house, CLINIC, 500)
    queue = await house.queue()
    busy = await queue.claim(4, per_destination=4)
    assert {claim.stream for claim in busy} == {"bulk"} and await queue.claim(1, per_destination=4) == []
    letter = clinic.message("ann@verified.test")
    await queue.accept(letter)
    assert await queue.claim(1, per_destination=4) == []
    await queue.settle(busy[0], clinic.settlement(busy[0]))
    (next_,) = await queue.claim(1, per_destination=4, wait_s=5)
    assert next_.delivery == letter.deliveries[0].id
    await asyncio.gather(*[queue.settle(one, clinic.settlement(one)) for one in (*busy[1:], next_)])


async def test_a_stream_of_transactional_mail_leaves_marketing_its_share(house: House) -> None:
    await backlog(house, CLINIC, 300)
    await backlog(house, CLINIC, 300, "transactional")
    queue = await house.queue()
    claims = await queue.claim(100, per_destination=10_000)
    bulk = sum(claim.stream == "bulk" for claim in claims)
    assert 0 < bulk < 50
