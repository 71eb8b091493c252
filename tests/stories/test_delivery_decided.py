"""What people and rules say while a message waits: refused, held, released, expired, looked at first."""

import asyncio

from carepost.crypto import index
from carepost.ground import clock, ids
from carepost.ground.orgkeys import OrgKeys
from carepost.policy.types import Method, Rule, TlsPolicy
from carepost.proof import kinds
from carepost.rfc import dsn
from carepost.wire.types import Actor, Protection
from tests.support.delivering import BY_MAIL, WILLOW, Delivering, side
from tests.support.mailhost import Ca, MailHost, make


def home(ca: Ca) -> MailHost:
    return MailHost(ca.leaf("mx.willow.test").context())


async def test_exclusive_tls_that_cannot_be_had_is_refused_and_reported(ca: Ca) -> None:
    """DESIGN 3: exclusive, else refuse; never another method."""
    exclusive = Rule("only-tls", tls_policy=TlsPolicy.EXCLUSIVE, recipient_domain="there.test")
    hosts = {"mx.there.test": MailHost(make("x", ("x.test",)).context()), "mx.willow.test": home(ca)}
    zone = side("there.test") | side("willow.test")
    async with Delivering(hosts, zone, ca, rules=(exclusive, BY_MAIL)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.reason) == ("failed", "tls-exclusive")
        await hosts["mx.willow.test"].wait(1)
        read = dsn.read(hosts["mx.willow.test"].messages[0][1])
        assert read is not None and (read.recipients[0].action, read.recipients[0].status) == ("failed", "5.7.1")
        assert not await willow.events(kinds.DELIVERY_METHOD_CHANGED)
        assert not hosts["mx.there.test"].bodies


async def test_a_released_delivery_is_tried_again_from_the_first_method_on(ca: Ca) -> None:
    """A person who releases it has reason to: the recipient's side may be mended."""
    host = MailHost()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        view = await willow.ended(accepted)
        assert (view.state, view.reason) == ("held", "needs-access-code")
        host.tls = ca.leaf("mx.there.test").context()
        for connection in list(willow.courier._live):
            connection.abort("lost")
        await willow.queue.act("release", WILLOW, (ids.parse(view.id),), Actor("staff", "ada"), "they mended it")
        view = await willow.until(accepted, lambda v: v.state in ("sent", "deposited", "failed"))
        assert (view.state, view.method) == ("sent", "tls")
        assert len(host.messages) == 1


async def test_an_address_suppressed_since_the_door_is_not_written_to(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    hosts = {"mx.there.test": host, "mx.willow.test": home(ca)}
    async with Delivering(hosts, side("there.test") | side("willow.test"), ca, worker=False) as willow:
        accepted = await willow.submit("jane.roe@there.test")
        version, wrapped = willow.snapshot.keys["index"]
        key = OrgKeys(willow.keys).open(WILLOW, "index", version, wrapped)
        willow.change(suppressed=frozenset({index.token(key, "address", "jane.roe@there.test")}))
        willow.worker.start()
        view = await willow.ended(accepted)
        assert (view.state, view.reason) == ("failed", "suppressed")
        assert not host.commands
        await hosts["mx.willow.test"].wait(1)


async def test_a_message_that_has_expired_is_not_sent_any_more(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca, worker=False) as willow:
        accepted = await willow.submit("jane.roe@there.test", expires_at=clock.now() + 300_000)
        await asyncio.sleep(0.4)
        willow.worker.start()
        view = await willow.ended(accepted)
        assert (view.state, view.reason) == ("failed", "expired-in-queue")
        assert not host.commands


async def test_the_portal_alone_is_preceded_by_a_look_that_sends_nothing(ca: Ca) -> None:
    """An e-mailed code must not open the portal before the recipient's side was measured."""
    host = MailHost(make("mx.there.test", ("mx.there.test",)).context())
    only_portal = Protection(methods=(Method.PORTAL,))
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=only_portal))
        assert (view.state, view.assurance) == ("deposited", "MAILBOX")
        look, deposit = view.attempts
        assert (look.reason, look.required, look.achieved) == ("looked", "VERIFIED", "ENCRYPTED")
        assert "nothing was sent" in look.words
        assert not any(command.startswith("MAIL") for command in host.commands)
        assert deposit.method == "portal"


async def test_a_look_at_a_side_without_tls_asks_for_a_code(ca: Ca) -> None:
    host = MailHost()
    only_portal = Protection(methods=(Method.PORTAL,))
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", protection=only_portal))
        assert (view.state, view.reason) == ("held", "needs-access-code")


async def test_the_deposit_carries_what_the_journal_needs_and_nothing_travels(ca: Ca) -> None:
    host = MailHost(make("mx.there.test", ("mx.there.test",)).context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        (event,) = await willow.events(kinds.DELIVERY_DEPOSITED)
        assert (event.facts["access"], event.facts["achieved"]) == ("mailed-code", "MAILBOX")
        assert event.facts["rule"] == "portal-by-mail"
        opened = await willow.openings(kinds.DELIVERY_DEPOSITED)
        assert {"deposit", "mail", "portal"} <= set(opened)
        assert b'"recipient":"jane.roe@there.test"' in opened["portal"]
        assert b'"by_mail":true' in opened["portal"]


async def test_no_event_says_anything_personal(ca: Ca) -> None:
    """Law 10: addresses, hosts and replies stand in commitments and sealed openings only."""
    hosts = {"mx.there.test": MailHost(ca.leaf("mx.there.test").context()), "mx.willow.test": home(ca)}
    hosts["mx.there.test"].says["RCPT"] = ["450 4.2.0 jane.roe later", "550 5.1.1 jane.roe is unknown"]
    async with Delivering(hosts, side("there.test") | side("willow.test"), ca) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        rows, _ = await willow.queue.drain(0, 0, 2000)
        for row in rows:
            for word in (b"jane", b"there.test", b"willow.test", b"Fern", b"Invented"):
                assert word not in row.event, row.event
                assert word not in row.sealed
