"""An administrator's check of a connection really tries it: the way in, its certificate, the sign-in, one mailbox, and
a message once round. Postfix plays the provider for the round."""

import asyncio
from pathlib import Path

import aiosmtplib
import msgspec
import pytest

from carepost.delivery.methods.tls import Preparer
from carepost.delivery.probing import Prober
from carepost.directory.gateways import PASSWORD, RETURN, SECRET_FIELD, Login, Settings
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.intake.returning import Returning
from carepost.proof import kinds
from carepost.wire.doors import Probe
from tests.support.certificates import Ca
from tests.support.delivering import DOMAIN, SENDER, WILLOW, body
from tests.support.fronts import HOST, PROVIDER, Fronted
from tests.support.mailhost import MailHost
from tests.support.provider import Provider

BOX = f"office@{DOMAIN}"
TENANT = "relay.willow-mail.test"
BACK = Settings(shared_names=(f"*.{PROVIDER.partition('.')[2]}",), mode=RETURN, host=TENANT)
PASS = Login(PASSWORD, "carepost@willow.test", "an-invented-word")
OFFERS = ("8BITMIME", "AUTH PLAIN LOGIN")


def prober(world: Fronted, seconds: float = 10.0) -> Prober:
    fronts = world.world.fronts
    assert fronts is not None
    return Prober(
        world.directory, fronts, world.finder, world.courier, Preparer(world.keys), Returning(world.keys, HOST),
        seconds=seconds,
    )  # fmt: skip


async def told(world: Fronted, **how: object) -> dict[str, tuple[str, str]]:
    call = msgspec.structs.replace(Probe(WILLOW, "willow-front"), **how)
    return {one.step: (one.state, one.cause) for one in await prober(world).probe(call)}


async def test_all_that_can_be_tried_is_tried_and_no_message_begun(ca: Ca) -> None:
    host = MailHost(ca.leaf(TENANT).context(), offers=OFFERS, says={"AUTH": ["235 2.7.0 welcome"]})
    async with Fronted({TENANT: host}, {}, ca, settings=BACK, login=PASS) as world:
        found = await prober(world).probe(Probe(WILLOW, "willow-front", BOX))
        assert [(one.step, one.state) for one in found] == [
            ("host", "good"), ("tls", "good"), ("sign-in", "good"), ("recipient", "good"),
        ]  # fmt: skip
        assert "TLSv1.3" in found[1].found and TENANT in found[1].found
        assert host.commands[-4:] == ["MAIL FROM:<>", f"RCPT TO:<{BOX}>", "RSET", "QUIT"]
        assert "DATA" not in host.commands
        assert PASS.password not in repr(found)


@pytest.mark.parametrize("case", ["stranger", "wrong-name", "clear", "refused", "password", "mailbox"])
async def test_each_step_says_what_is_wrong_and_nothing_goes_further(ca: Ca, case: str) -> None:
    says = {"AUTH": ["535 5.7.8 no" if case == "password" else "235 2.7.0 ok"]}
    if case == "mailbox":
        says["RCPT"] = ["550 5.1.1 secret words of the server"]
    context = {
        "stranger": Ca("Another CA").leaf(TENANT).context(), "wrong-name": ca.leaf("other.test").context(),
        "clear": None,
    }.get(case, ca.leaf(TENANT).context())  # fmt: skip
    host = MailHost(context, offers=OFFERS, says={**says, **({"BANNER": ["554 go away"]} if case == "refused" else {})})
    async with Fronted({TENANT: host}, {}, ca, settings=BACK, login=PASS) as world:
        found = await told(world, mailbox=BOX, send=True)
        assert found[{"refused": "host", "password": "sign-in", "mailbox": "recipient"}.get(case, "tls")] == (
            "bad",
            {"stranger": "unknown-issuer", "clear": "no-tls", "refused": "server-unwilling",
             "password": "sign-in-refused", "mailbox": "no-such-mailbox"}.get(case, case),
        )  # fmt: skip
        if case in ("stranger", "wrong-name", "clear"):
            assert found["recipient"] == ("skipped", "")
            assert not any(one.startswith(("AUTH", "MAIL")) for one in host.commands), "nobody heard a password"
        assert "DATA" not in host.commands
        seen = await prober(world).probe(Probe(WILLOW, "willow-front", BOX))
        assert "secret words" not in repr(seen)


async def test_it_ends_in_time_and_never_looks_at_this_machine(ca: Ca) -> None:
    """BI-029: where the dial table of the tests does not lead, loopback is refused."""
    hanging = MailHost(ca.leaf(TENANT).context(), says={"BANNER": ["HANG"]})
    async with Fronted({TENANT: hanging}, {}, ca, settings=BACK) as world:
        found = await prober(world, seconds=0.3).probe(Probe(WILLOW, "willow-front"))
        assert [(one.step, one.state, one.cause) for one in found] == [
            ("host", "bad", "timeout"),
            ("tls", "skipped", ""),
        ]
        before = hanging.connections
        for host in ("localhost", "127.0.0.1"):
            port = hanging.address[1]
            world.change(settings=msgspec.structs.replace(BACK, host=host, port=port))
            assert (await told(world))["host"] == ("bad", "local-address")
        assert hanging.connections == before
        with pytest.raises(NotFound):
            await told(world, gateway="birch-front")


@pytest.mark.peers
async def test_a_message_goes_once_round_by_the_providers_rule(ca: Ca, tmp_path: Path) -> None:
    async with Fronted({}, {}, ca, settings=msgspec.structs.replace(BACK, host="willow.mail.provider.test")) as world:
        for name, field in (("with", f"{SECRET_FIELD}: {world.secret}"), ("without", "")):
            provider = await asyncio.to_thread(
                Provider, tmp_path / name, gateway=world.ports["gateway"], host=HOST, ca=world.tls / "ca.pem",
                shared=ca.leaf(PROVIDER), own=ca.leaf("willow.mail.provider.test"), field=field,
            )  # fmt: skip
            try:
                world.finder._dial["willow.mail.provider.test"] = ("127.0.0.1", provider.port)
                world.change(settings=msgspec.structs.replace(world.settings, port=25 if field else 26))
                found = await told(world, mailbox=BOX, send=True)
                assert found["sent"] == ("good", ""), found
                if field:
                    await provider.logged("status=sent (250 2.0.0 Accepted as")
                    (event,) = await world.events(kinds.GATEWAY_RETURNED)
                    assert event.facts == {"gateway": "willow-front"}
                else:
                    await provider.logged("status=bounced", SECRET_FIELD)
            finally:
                await asyncio.to_thread(provider.close)
        assert len(await world.events(kinds.GATEWAY_RETURNED)) == 1
        assert await world.events(kinds.MESSAGE_ACCEPTED) == [], "it went to nobody"


async def test_only_this_connection_within_the_hour_may_come_back(ca: Ca) -> None:
    async with Fronted({}, {}, ca, settings=BACK) as world:
        returning = Returning(world.keys, HOST)
        raw = body(extra=f"{SECRET_FIELD}: {world.secret}\r\n")
        forged = returning.address("birch-front")
        for to in (forged, f"gateway-check+aaaaaaaa@{HOST}", f"gateway-check+@{HOST}"):
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await world.hand_over(raw, to=to)
            assert refused.value.message.startswith("5.1.1 ")
        good = returning.address("willow-front")
        assert (await world.hand_over(raw, to=good)).startswith("2.0.0 ")
        # whose it is counts as for every message
        with pytest.raises(aiosmtplib.SMTPDataError, match=SECRET_FIELD):
            await world.hand_over(body(), to=good)
        now = clock.now()
        clock.set_source(lambda: now + 2 * 3_600_000_000)
        try:
            with pytest.raises(aiosmtplib.SMTPDataError):
                await world.hand_over(raw, to=good)
        finally:
            clock.set_source(None)
        assert len(await world.events(kinds.GATEWAY_RETURNED)) == 1
        # at the submission door it is an address like any other, which leads nowhere
        assert SENDER not in good
