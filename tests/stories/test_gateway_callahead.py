"""Recipients are asked of the tenant's own host before a message from the world is taken for them."""

import asyncio

import aiosmtplib
import msgspec
import pytest

from carepost.delivery import ahead
from carepost.directory.gateways import Settings
from carepost.wire.types import Accepted
from tests.support.certificates import Ca
from tests.support.delivering import DOMAIN, SENDER, body
from tests.support.fronts import PROVIDER, Fronted
from tests.support.mailhost import MailHost, Step

ASKING = Settings(
    shared_names=(f"*.{PROVIDER.partition('.')[2]}",), host="in.willow-mail.test", inbound=True, callahead=True
)
ZONE: dict[tuple[str, str], object] = {("home.test", "TXT"): '"v=spf1 ip4:127.0.0.0/8 -all"'}
PAT = "pat@home.test"


def tenant(ca: Ca, *says: Step, trusted: bool = True) -> MailHost:
    made = ca if trusted else Ca("Another CA")
    return MailHost(
        made.leaf("in.willow-mail.test").context(), offers=("8BITMIME",), says={"RCPT": says} if says else {}
    )


def letter() -> bytes:
    return body().replace(SENDER.encode(), PAT.encode())


def asked(host: MailHost) -> list[str]:
    return [one for one in host.commands if one.startswith("RCPT")]


async def comes(world: Fronted, to: str = SENDER) -> Accepted:
    said = await world.hand_over(letter(), sender=PAT, to=to, shown=None, name="mx")
    return Accepted(said.split()[-1], ())


async def test_who_is_not_known_there_is_refused_before_the_message(ca: Ca) -> None:
    host = tenant(ca, "550 5.1.1 pat is unknown to me")
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=ASKING) as world:
        for _ in range(2):
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
                await comes(world, f"nobody@{DOMAIN}")
            (one,) = refused.value.recipients
            assert one.code == 550 and one.message.startswith("5.1.1 ") and "unknown to me" not in one.message
        assert asked(host) == [f"RCPT TO:<nobody@{DOMAIN}>"], "the second time it was remembered"
        assert "DATA" not in host.commands and host.commands[-1] == "RSET"
        assert await world.events("message.accepted") == []


async def test_who_is_known_gets_it_and_is_asked_for_once(ca: Ca) -> None:
    host = tenant(ca)
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=ASKING) as world:
        for _ in range(2):
            await world.ended(await comes(world))
        assert len(host.messages) == 2
        before = [at for at, one in enumerate(host.commands) if one == "DATA"]
        assert next(one for one in host.commands[: before[0]] if one.startswith("MAIL")) == "MAIL FROM:<>"
        assert len(asked(host)) == 3, "one question, two messages"


@pytest.mark.parametrize(
    "says",
    ["451 4.7.1 greylisted", "550 5.7.1 not from you", "550 5.4.1 access denied", "452 4.2.2 full", "HANG", "DROP"],
)
async def test_anything_else_is_no_answer_and_it_is_taken_as_before(ca: Ca, says: str) -> None:
    host = tenant(ca, says, "250 2.1.5 ok")
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=ASKING) as world:
        world.ahead._seconds = 0.5
        await world.ended(await comes(world))
        assert len(host.messages) == 1


async def test_a_host_that_does_not_prove_itself_hears_no_address(ca: Ca) -> None:
    host = tenant(ca, trusted=False)
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=ASKING) as world:
        await comes(world)
        assert not any(one.startswith(("MAIL", "RCPT")) for one in host.commands)


async def test_nobody_is_asked_where_the_connection_does_not_say_so(ca: Ca) -> None:
    host = tenant(ca, "550 5.1.1 no")
    settings = msgspec.structs.replace(ASKING, callahead=False)
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=settings) as world:
        accepted = await comes(world, f"nobody@{DOMAIN}")
        assert (await world.ended(accepted)).state == "failed"


async def test_a_flood_of_addresses_makes_few_connections_and_the_rest_is_taken(ca: Ca) -> None:
    host = tenant(ca)
    async with Fronted({"in.willow-mail.test": host}, ZONE, ca, settings=ASKING) as world:
        answers = await asyncio.gather(*(world.ahead.known(world.snapshot.id, f"a{n}@{DOMAIN}") for n in range(100)))
        assert answers.count(True) == ahead.WAITING and answers.count(None) == 100 - ahead.WAITING
        assert host.connections <= ahead.AT_ONCE + ahead.WAITING
