"""The courier against scripted mail hosts: what it refuses to send, how it reuses, when it lets go."""

import asyncio

import pytest

from carepost.delivery.courier import Courier, Need, Parcel
from carepost.delivery.exchange import Timeouts
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.trust import Anchors
from carepost.policy.types import Assurance
from carepost.queue.types import Stage
from carepost.rfc.envelope import Recipient
from tests.support.mailhost import Ca, MailHost, free_port, make
from tests.unit.delivery.conftest import Sender, hop, sealed

NAME = "mx.there.test"


def only(host: MailHost) -> Hops:
    return Hops("there.test", (hop(host),))


async def test_only_a_sealed_is_sent(send: Sender, ca: Ca) -> None:
    """Law 4."""
    async with MailHost(ca.leaf(NAME).context()) as host:
        parcel = Parcel(b"From: x\r\n\r\n", Recipient("a@there.test"), lambda: None)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            await send.courier.send(parcel, only(host), Need(30))
        assert not host.commands


async def test_a_sealed_is_never_sent_below_the_floor_it_was_sealed_for(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf(NAME).context()) as host:
        with pytest.raises(ValueError, match="floor"):
            await send(only(host), sealed(floor=40), need=Need(30))
        assert not host.commands


@pytest.mark.parametrize("floor", [Assurance.VERIFIED, Assurance.AUTHENTICATED, Assurance.MESSAGE])
async def test_below_the_floor_nothing_of_the_message_is_said(send: Sender, floor: Assurance) -> None:
    async with MailHost(make(NAME, (NAME,)).context()) as host:
        carried = await send(only(host), sealed(floor=floor))
        assert (carried.short, carried.ended.stage, carried.achieved) == (True, Stage.FLOOR, Assurance.ENCRYPTED)
        assert not any(command.startswith(("MAIL", "RCPT", "DATA")) for command in host.commands)
        assert send.dots == 0


async def test_a_look_measures_and_sends_nothing(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf(NAME).context()) as host:
        carried = await send.courier.look(only(host), Need(Assurance.MESSAGE))
        assert (carried.short, carried.achieved, carried.offered) == (True, Assurance.VERIFIED, True)
        assert not any(command.startswith("MAIL") for command in host.commands)


async def test_before_dot_is_called_once_and_only_when_a_dot_follows(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf(NAME).context(), says={"RCPT": ["550 no", "250 ok"]}) as host:
        await send(only(host))
        assert send.dots == 0
        await send(only(host))
        assert send.dots == 1


async def test_one_connection_carries_many_and_a_refusal_does_not_end_it(send: Sender, ca: Ca) -> None:
    says = {"MAIL": ["250 ok", "550 5.7.1 no", "250 ok"], "DATA": ["354 go", "503 no", "451 later", "354 go"]}
    async with MailHost(ca.leaf(NAME).context(), says=says) as host:
        codes = [(await send(only(host))).ended.reply for _ in range(4)]
        assert [reply.code for reply in codes if reply is not None] == [250, 550, 451, 250]
        assert (host.connections, host.handshakes, len(host.messages)) == (1, 1, 2)


async def test_lines_that_begin_with_a_dot_arrive_as_they_were(send: Sender, ca: Ca) -> None:
    data = b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n"
    async with MailHost(ca.leaf(NAME).context()) as host:
        await send(only(host), sealed(data))
        assert host.messages[0][1] == data


async def test_a_stalled_handshake_is_tried_once_more_and_never_in_clear(anchors: Anchors, ca: Ca) -> None:
    """BI-040: a first flight too long for some box on the way."""
    courier = Courier("mail.clinic.test", anchors, timeouts=Timeouts(handshake=0.3, connect=2.0, command=2.0))
    courier.start()
    async with MailHost(ca.leaf(NAME).context(), says={"HELLO": ["HANG"]}) as host:
        carried = await Sender(courier)(only(host))
        assert (carried.ended.stage, carried.ended.error, host.connections) == (Stage.STARTTLS, "tls-timeout", 2)
        assert [command.split()[0] for command in host.commands] == ["EHLO", "STARTTLS"] * 2
        # nobody else waits for it as long as it took to find out (here twice 0.3 s)
        again = await Sender(courier)(only(host))
        assert (again.ended.error, host.connections) == ("tls-timeout", 2)
        del host.says["HELLO"]
        await asyncio.sleep(0.8)
        assert (await Sender(courier)(only(host))).ended.reply is not None
    await courier.close()


async def test_an_idle_connection_is_said_good_bye(anchors: Anchors, ca: Ca) -> None:
    courier = Courier("mail.clinic.test", anchors, idle=0.1)
    courier.start()
    async with MailHost(ca.leaf(NAME).context()) as host:
        await Sender(courier)(only(host))
        async with asyncio.timeout(5):
            while courier.connections:
                await asyncio.sleep(0.05)
        assert host.commands[-1] == "QUIT"
    await courier.close()


async def test_a_connection_the_server_ended_while_idle_costs_nothing(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf(NAME).context()) as host:
        await send(only(host))
        host.says["MAIL"] = ["DROP", "250 ok"]
        carried = await send(only(host))
        assert carried.ended.reply is not None and carried.ended.reply.code == 250
        assert (host.connections, len(host.messages)) == (2, 2)


async def test_a_closed_port_leads_to_the_next_host(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf("mx2.there.test").context()) as host:
        closed = Hop("mx.there.test", ("127.0.0.1",), free_port())
        carried = await send(Hops("there.test", (closed, hop(host, "mx2.there.test"))))
        assert (carried.host, carried.ended.reply is not None) == ("mx2.there.test", True)


async def test_one_host_short_and_one_closed_may_pass(send: Sender) -> None:
    """Something that may pass makes the whole temporary: the other host may be sound."""
    async with MailHost(make(NAME, (NAME,)).context()) as host:
        closed = Hop("mx2.there.test", ("127.0.0.1",), free_port())
        carried = await send(Hops("there.test", (hop(host), closed)))
        assert (carried.short, carried.ended.error, carried.achieved) == (False, "refused", Assurance.ENCRYPTED)


async def test_every_host_short_is_short_with_the_best_of_them(send: Sender) -> None:
    async with MailHost() as clear, MailHost(make("mx2.there.test", ("mx2.there.test",)).context()) as own:
        carried = await send(Hops("there.test", (hop(clear), hop(own, "mx2.there.test"))))
        assert (carried.short, carried.achieved, carried.ended.error) == (True, Assurance.ENCRYPTED, "self-signed")


async def test_tries_are_bounded_whatever_dns_says(send: Sender) -> None:
    """BI-032."""
    async with MailHost(says={"BANNER": ["421 busy"]}) as host:
        address, port = host.address
        many = tuple(Hop(f"mx{number}.there.test", (address,) * 4, port) for number in range(10))
        carried = await send(Hops("there.test", many))
        assert carried.ended.reply is not None and carried.ended.reply.code == 421
        assert host.connections <= 6


async def test_waiting_for_a_place_has_an_end(anchors: Anchors, ca: Ca, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carepost.delivery.pool.TURN", 0.3)
    courier = Courier("mail.clinic.test", anchors, per_host=1, timeouts=Timeouts(command=5.0, connect=5.0))
    courier.start()
    async with MailHost(ca.leaf(NAME).context(), says={"RCPT": ["HANG"]}) as host:
        first = asyncio.ensure_future(Sender(courier)(only(host)))
        while not any(command.startswith("RCPT") for command in host.commands):
            await asyncio.sleep(0.01)
        second = await Sender(courier)(only(host))
        assert (second.ended.stage, second.ended.error) == (Stage.CONNECT, "busy")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    await courier.close()


async def test_a_cancelled_message_gives_its_place_back(anchors: Anchors, ca: Ca) -> None:
    courier = Courier("mail.clinic.test", anchors, per_host=1, timeouts=Timeouts(command=5.0, connect=5.0))
    courier.start()
    async with MailHost(ca.leaf(NAME).context(), says={"RCPT": ["HANG", "250 ok"]}) as host:
        first = asyncio.ensure_future(Sender(courier)(only(host)))
        while not any(command.startswith("RCPT") for command in host.commands):
            await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        async with asyncio.timeout(5):
            carried = await Sender(courier)(only(host))
        assert carried.ended.reply is not None
        assert len(host.messages) == 1
    await courier.close()


async def test_closing_says_good_bye_to_idle_connections_and_ends_the_others(anchors: Anchors, ca: Ca) -> None:
    courier = Courier("mail.clinic.test", anchors)
    courier.start()
    async with MailHost(ca.leaf(NAME).context()) as host:
        await Sender(courier)(only(host))
        await courier.close()
        assert host.commands[-1] == "QUIT"
        assert courier.connections == 0


async def test_a_floor_of_none_uses_tls_where_it_is_offered(send: Sender) -> None:
    """DESIGN 3: notices go by the best TLS offered."""
    async with MailHost(make(NAME, (NAME,)).context()) as host:
        carried = await send(only(host), sealed(floor=0))
        assert carried.assessed is not None
        assert (carried.assessed.achieved, len(host.messages)) == (Assurance.ENCRYPTED, 1)


async def test_a_floor_of_none_is_not_clear_text_where_starttls_was_offered_and_refused(send: Sender, ca: Ca) -> None:
    async with MailHost(ca.leaf(NAME).context(), says={"STARTTLS": ["454 no"]}) as host:
        carried = await send(only(host), sealed(floor=0))
        assert (carried.short, carried.ended.error) == (True, "starttls-refused")
        assert not host.bodies


async def test_a_floor_of_none_is_not_clear_text_where_tls_was_seen_before(send: Sender) -> None:
    async with MailHost() as host:
        assert (await send(only(host), sealed(floor=0), need=Need(0, tls_once=True))).short
        assert not host.bodies
        assert (await send(only(host), sealed(floor=0))).ended.reply is not None
        # and the clear connection is not handed to anybody who needs more
        assert (await send(only(host), sealed(floor=10))).short
        assert len(host.bodies) == 1
