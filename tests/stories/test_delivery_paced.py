"""A provider that says "too fast", against a real mail host: nothing is lost, nothing is tried in vain, no attempt is
used up; other ways, other streams and other providers go on (deliverability.md §2)."""

import asyncio

import msgspec
import pytest

from carepost.delivery.carried import Carried, Need, Parcel
from carepost.delivery.hops import Hops
from carepost.directory.sending import Address, Pool, Sending, Told, Warm, measure_of
from carepost.ground import clock
from carepost.intake.orgkeys import DirectoryKeys
from carepost.pace.lane import Measure
from carepost.pace.limits import Limits
from carepost.policy.types import Category
from carepost.proof import kinds
from carepost.queue.sealing import MessageSeal, Opener
from carepost.spool.types import DeliveryRow
from carepost.wire.types import Accepted, DeliveryView
from tests.support.delivering import Delivering, side
from tests.support.mailhost import Ca, MailHost

GOOGLE = "aspmx.l.google.com"
#: two domains whose mail Google takes
ZONE = {
    ("there.test", "MX"): f"10 {GOOGLE}.",
    ("clinic.test", "MX"): f"10 {GOOGLE}.",
    (GOOGLE, "A"): "8.8.8.8",
}
TOO_FAST = "421 4.7.28 Our system has detected an unusual rate of mail"
_MINUTE = 60_000_000
#: of a generated backlog, those that are opened and carried out
_OPENED = 3_000


def google(ca: Ca, **says: list[str | bytes | None]) -> MailHost:
    return MailHost(ca.leaf(GOOGLE).context(), says=says)


async def held_back(willow: Delivering, accepted: Accepted) -> DeliveryView:
    return await willow.until(accepted, lambda view: view.held_back is not None)


async def test_a_provider_that_says_too_fast_is_left_alone_and_nothing_is_tried_in_vain(ca: Ca) -> None:
    host = google(ca, MAIL=[TOO_FAST])
    async with Delivering({GOOGLE: host}, ZONE, ca) as willow:
        told = await willow.submit("jane.roe@there.test")
        first = await willow.deferred(told)
        assert [one.reason for one in first.attempts] == ["server-unwilling"]
        commands = len(host.commands)
        others = [await willow.submit("june.poe@clinic.test") for _ in range(5)]
        views = [await held_back(willow, one) for one in others]
        # another domain of the same provider, found out at its own attempt, and then not even claimed
        assert {view.state for view in views} == {"queued"}
        assert all(view.attempts == () for view in views)
        held = views[0].held_back
        assert held is not None
        assert (held.what, held.provider, held.by) == ("suspension", "gmail", "gmail-rate")
        assert held.words == "a pause at Gmail and Google Workspace: it says that mail comes too fast (4.7.28)"
        assert 9 * _MINUTE < held.until - clock.now() <= 10 * _MINUTE
        assert len(host.commands) == commands
        (asked,) = await willow.events(kinds.PROVIDER_ASKED)
        assert asked.cause == "gmail-rate"


async def test_a_pause_holds_for_whoever_sends_from_the_same_address(ca: Ca) -> None:
    """The receiver counts the source: an organisation with limits of its own is closed with the others, and they with
    it."""
    host = google(ca, MAIL=[TOO_FAST])
    async with Delivering({GOOGLE: host}, ZONE, ca) as willow:
        await willow.deferred(await willow.submit("jane.roe@there.test"))
        commands = len(host.commands)
        willow.change(sending=Sending(limits={"gmail": Limits(connections=2)}))
        view = await held_back(willow, await willow.submit("june.poe@clinic.test"))
        assert view.held_back is not None and view.held_back.what == "suspension"
        assert len(host.commands) == commands
        assert len({lane.state.measures for lane in willow.pace.lanes(willow.snapshot.id)}) == 1


async def test_a_person_lifts_a_pause_and_mail_leaves_at_once(ca: Ca) -> None:
    host = google(ca, MAIL=[TOO_FAST, "250 ok"])
    async with Delivering({GOOGLE: host}, ZONE, ca) as willow:
        await willow.deferred(await willow.submit("jane.roe@there.test"))
        accepted = await willow.submit("june.poe@clinic.test")
        await held_back(willow, accepted)
        (lane,) = willow.pace.lanes(willow.snapshot.id)
        (measure,) = lane.state.measures
        willow.change(sending=Sending(told=(Told("", "gmail", measure, lifted_at=clock.now()),)))
        view = await willow.ended(accepted)
        assert (view.state, len(view.attempts), view.attempts[0].number) == ("sent", 1, 1)


async def test_what_another_process_was_told_holds_here_too(ca: Ca) -> None:
    host = google(ca)
    async with Delivering({GOOGLE: host}, ZONE, ca) as willow:
        from_elsewhere = measure("gmail-rate", 10 * _MINUTE)
        willow.change(sending=Sending(told=(Told("", "gmail", from_elsewhere),)))
        view = await held_back(willow, await willow.submit("jane.roe@there.test"))
        assert view.held_back is not None and view.held_back.until == from_elsewhere.until
        assert not host.commands


def measure(reaction: str, lasts: int) -> Measure:
    now = clock.now()
    return measure_of(reaction, now, now + lasts)


async def test_a_provider_gets_no_more_connections_and_messages_on_each_than_its_table_says(ca: Ca) -> None:
    """Apple: 10 connections, 5 messages each; here with 2 of the organisation's own."""
    name = "mx01.mail.icloud.com"
    host = MailHost(ca.leaf(name).context())
    zone = {("there.test", "MX"): f"10 {name}.", (name, "A"): "8.8.8.8"}
    async with Delivering({name: host}, zone, ca, sending=Sending(limits={"icloud": Limits(connections=2)})) as willow:
        accepted = [await willow.submit("jane.roe@there.test") for _ in range(30)]
        for one in accepted:
            assert (await willow.ended(one)).state == "sent"
        assert host.most_open <= 2
        assert host.connections >= 6
        assert [len((await willow.view(one)).attempts) for one in accepted] == [1] * 30


async def test_a_rate_is_kept_and_what_waits_says_so(ca: Ca) -> None:
    host = google(ca)
    sending = Sending(limits={"gmail": Limits(per_minute=60)})
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=sending) as willow:
        began = asyncio.get_running_loop().time()
        accepted = [await willow.submit("jane.roe@there.test") for _ in range(4)]
        waits = await held_back(willow, accepted[-1])
        assert waits.held_back is not None and waits.held_back.what in ("rate", "connections")
        for one in accepted:
            assert (await willow.ended(one)).state == "sent"
        assert asyncio.get_running_loop().time() - began >= 2.9


POOLED = Sending(
    addresses=(
        Address("127.0.0.21", "out1.willow.test", "letters", "active"),
        Address("127.0.0.22", "out2.willow.test", "campaigns", "active"),
    ),
    pools=(Pool("letters", ("system", "transactional", "operational")), Pool("campaigns", ("bulk",))),
)


async def test_each_stream_leaves_by_its_pools_address_and_says_its_name(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, sending=POOLED) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        await willow.ended(await willow.submit("june.poe@there.test", category=Category.MARKETING))
        await willow.ended(await willow.submit("jane.roe@there.test"))
        assert host.peers == ["127.0.0.21", "127.0.0.22"]
        assert [line for line in host.commands if line.startswith("EHLO")] == [
            "EHLO out1.willow.test", "EHLO out1.willow.test", "EHLO out2.willow.test", "EHLO out2.willow.test",
        ]  # fmt: skip


async def test_an_address_that_is_paused_by_its_provider_leaves_its_mail_to_the_others_of_its_pool(ca: Ca) -> None:
    host = google(ca, MAIL=[TOO_FAST, "250 ok"])
    both = Sending(
        addresses=(Address("127.0.0.31", "", "all", "active"), Address("127.0.0.32", "", "all", "active")),
        pools=(Pool("all"),),
    )
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=both) as willow:
        await willow.deferred(await willow.submit("jane.roe@there.test"))
        refused = host.peers[0]
        (other,) = {"127.0.0.31", "127.0.0.32"} - {refused}
        for _ in range(3):
            assert (await willow.ended(await willow.submit("june.poe@clinic.test"))).state == "sent"
        assert set(host.peers[1:]) == {other}


async def test_a_paused_address_is_not_used_and_one_being_emptied_only_when_no_other_can(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    three = (
        Address("127.0.0.41", "", "all", "paused"),
        Address("127.0.0.42", "", "all", "draining"),
        Address("127.0.0.43", "", "all", "active"),
    )
    async with Delivering(
        {"mx.there.test": host}, side("there.test"), ca, sending=Sending(three, (Pool("all"),))
    ) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        willow.change(sending=Sending(three[:2], (Pool("all"),)))
        await willow.ended(await willow.submit("jane.roe@there.test"))
        assert host.peers == ["127.0.0.43", "127.0.0.42"]


async def test_an_address_that_is_not_on_this_machine_is_said_so_and_the_other_takes_its_mail(ca: Ca) -> None:
    host = google(ca)
    pool = Sending(
        addresses=(Address("192.0.2.77", "", "all", "active"), Address("127.0.0.52", "", "all", "active")),
        pools=(Pool("all"),),
    )
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=pool) as willow:
        accepted = [await willow.submit("jane.roe@there.test") for _ in range(3)]
        views = [await willow.ended(one) for one in accepted]
        assert {view.state for view in views} == {"sent"}
        reasons = {attempt.reason for view in views for attempt in view.attempts}
        assert reasons == {"no-source-address", "accepted"}
        assert set(host.peers) == {"127.0.0.52"}


async def test_a_new_address_sends_its_days_share_and_the_known_one_the_rest(ca: Ca) -> None:
    host = google(ca)
    today = clock.now() // 86_400_000_000
    pool = Sending(
        addresses=(
            Address("127.0.0.61", "", "all", "active", warming=True), Address("127.0.0.62", "", "all", "active"),
        ),
        pools=(Pool("all"),),
        warm={("127.0.0.61", "gmail"): Warm(today, 3)},
    )  # fmt: skip
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=pool) as willow:
        for _ in range(5):
            assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        by = {view.source: view.warm for view in willow.pace.views(willow.snapshot.id)}
        assert by["127.0.0.61"] == (3, 3)
        assert host.peers == ["127.0.0.61", "127.0.0.62"]


async def test_a_burst_to_a_domain_not_known_yet_keeps_to_the_days_share(ca: Ca) -> None:
    host = google(ca)
    pool = Sending(
        addresses=(Address("127.0.0.63", "", "all", "active", warming=True),),
        pools=(Pool("all"),),
        warm={("127.0.0.63", "gmail"): Warm(clock.now() // 86_400_000_000, 3)},
    )
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=pool) as willow:
        letters = [willow.submit("jane.roe@there.test", category=Category.MARKETING) for _ in range(12)]
        accepted = await asyncio.gather(*letters)

        async def over(one: Accepted) -> DeliveryView:
            return await willow.until(one, lambda view: view.state == "sent" or view.held_back is not None)

        await asyncio.gather(*map(over, accepted))
        # what waited while others were under way has its turn when one of them ends
        views = await asyncio.gather(*map(over, accepted))
        assert len(host.peers) <= 3
        assert sum(view.state == "sent" for view in views) <= 3
        assert willow.pace.views(willow.snapshot.id)[0].warm in {(3, 2), (3, 3)}


@pytest.mark.parametrize("category", [Category.MARKETING, Category.TRANSACTIONAL])
async def test_over_the_days_share_marketing_waits_and_a_letter_takes_the_houses_address(
    ca: Ca, category: Category
) -> None:
    host = google(ca)
    today = clock.now() // 86_400_000_000
    pool = Sending(
        addresses=(Address("127.0.0.71", "", "all", "active", warming=True),),
        pools=(Pool("all"),),
        warm={("127.0.0.71", "gmail"): Warm(today, 1)},
    )
    async with Delivering({GOOGLE: host}, ZONE, ca, sending=pool) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test", category=category))
        accepted = await willow.submit("jane.roe@there.test", category=category)
        if category is Category.MARKETING:
            view = await held_back(willow, accepted)
            assert view.held_back is not None
            assert view.held_back.words == "the warm-up of 127.0.0.71 at Gmail and Google Workspace"
            assert view.held_back.until == (clock.now() // 86_400_000_000 + 1) * 86_400_000_000
            assert view.attempts == ()
        else:
            assert (await willow.ended(accepted)).state == "sent"
            assert host.peers == ["127.0.0.71", "127.0.0.1"]


async def marketing(willow: Delivering, rows: int) -> None:
    """`rows` more of one marketing delivery, written as they would lie there, without the time it takes."""
    accepted = await willow.submit("jane.roe@there.test", category=Category.MARKETING)
    (row,) = willow.shard.backend.open(willow.snapshot.id, "", 1)
    book = DirectoryKeys(willow.directory, willow.keys)
    seal = MessageSeal(book, row.org, row.message)
    record = Opener(book).delivery_record(row.org, row.message, row.id, row.record)
    names = DeliveryRow.__struct_fields__
    marks = ",".join("?" * len(names))
    store = willow.shard.backend._writer  # type: ignore[attr-defined]
    place = {name: at for at, name in enumerate(names)}
    values = [bytearray(v) if isinstance(v, bytes) else v for v in msgspec.structs.astuple(row)]
    laid = []
    for at in range(rows):
        # in order: what lies in a queue came one after the other
        id_ = row.id[:12] + at.to_bytes(4, "big")
        one = values.copy()
        one[place["id"]], one[place["due_at"]] = bytearray(id_), row.due_at + at
        if at < _OPENED:
            # nobody comes to the rest: their records need not open
            one[place["record"]] = bytearray(seal.delivery(id_, record))
        laid.append(one)
    store.execute("BEGIN IMMEDIATE")
    store.executemany(f"INSERT INTO delivery ({','.join(names)}) VALUES ({marks})", laid)
    store.execute("COMMIT")
    willow.queue._claims.look()
    assert accepted.message_id


async def test_a_letter_passes_a_hundred_thousand_of_marketing_to_the_same_domain(ca: Ca) -> None:
    """DESIGN 2, queue; own places and connections: what is transactional leaves within about a second."""
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False) as willow:
        await marketing(willow, 100_000)
        willow.queue.taker = willow.worker
        willow.worker.start()
        await host.wait(100)
        loop = asyncio.get_running_loop()
        took = []
        for _ in range(5):
            began = loop.time()
            accepted = await willow.submit("june.poe@there.test")
            assert (await willow.ended(accepted)).state == "sent"
            took.append(loop.time() - began)
        # a wide limit, for a slow machine: the backlog alone would take minutes
        assert min(took) < 5, took
        marketing_sent = sum("jane.roe" in envelope[1] for envelope, _ in host.messages)
        assert 100 < marketing_sent < 50_000


async def test_marketing_leaves_the_last_places_at_a_provider_to_other_mail(ca: Ca) -> None:
    """Marketing whose end takes for ever has all the places it may have; a letter to the same provider leaves."""
    host = google(ca)
    async with Delivering({GOOGLE: host}, ZONE, ca) as willow:
        blocked = asyncio.Event()
        courier, send = willow.courier, willow.courier._try

        async def slow(parcel: Parcel | None, hops: Hops, need: Need) -> Carried:
            carried = await send(parcel, hops, need)
            if need.way.bulk:
                await blocked.wait()
            return carried

        courier._try = slow  # type: ignore[method-assign]
        bulk = [await willow.submit("jane.roe@there.test", category=Category.MARKETING) for _ in range(40)]
        await host.wait(15)
        assert (await willow.ended(await willow.submit("june.poe@clinic.test"))).state == "sent"
        assert "sent" not in [(await willow.view(one)).state for one in bulk]
        blocked.set()
        for one in bulk:
            assert (await willow.ended(one)).state == "sent"
