"""What a tenant, a user of it, or another tenant of its provider may write to pass a gateway as somebody else."""

import hashlib
from typing import Any

import aiosmtplib
import pytest

from carepost.crypto import scram
from carepost.directory.gateways import LOOP_FIELD, SECRET_FIELD, Settings
from carepost.directory.types import Credential
from tests.support.certificates import Ca
from tests.support.delivering import DOMAIN, SENDER, WILLOW, body, side
from tests.support.fronts import OTHER_DOMAIN, PROVIDER, Fronted
from tests.support.mailhost import MailHost


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


SHARED = Settings(shared_names=(f"*.{PROVIDER.partition('.')[2]}",))


def message(*fields: str, sender: str = SENDER) -> bytes:
    return body(extra="".join(f"{field}\r\n" for field in fields)).replace(SENDER.encode(), sender.encode())


async def refused(world: Fronted, raw: bytes, *, sender: str = SENDER, **how: Any) -> str:
    with pytest.raises(aiosmtplib.SMTPResponseException) as error:
        await world.hand_over(raw, sender=sender, **how)
    assert error.value.code in (550, 554), error.value
    return error.value.message


async def test_the_field_is_read_as_a_mail_system_may_write_it(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        head, tail = world.secret[:20], world.secret[20:]
        for count, field in enumerate((
            f"x-carepost-gateway: {world.secret}",
            f"X-CAREPOST-GATEWAY:{world.secret}",
            f"{SECRET_FIELD}:\r\n {world.secret}",
            f"{SECRET_FIELD}: \t{world.secret} ",
        ), 1):  # fmt: skip
            await world.hand_over(message(field))
            await there.wait(count)
            assert world.secret.encode() not in there.messages[-1][1]
            assert b"arepost-gateway" not in there.messages[-1][1].lower()
        # a value that was torn apart is another value
        assert "5.7.1" in await refused(world, message(f"{SECRET_FIELD}: {head}\r\n {tail}"))


async def test_a_field_given_twice_is_refused_whichever_is_right(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        right, wrong = f"{SECRET_FIELD}: {world.secret}", f"{SECRET_FIELD.lower()}: {world.other_secret}"
        for fields in ((right, wrong), (wrong, right), (right, right)):
            assert "more than once" in await refused(world, message(*fields))


@pytest.mark.parametrize(
    "field",
    [
        "",
        "Bearer {}",
        "{}x",
        "{}.{}",
        "{}, {}",
        "=?utf-8?q?{}?=",
        '"{}"',
        "<{}>",
        "{}\r\n\t,",
        "willow-front",
        "{}" + "x" * 5_000,
        "{}" + " " * 300 + "x",
    ],
    ids=[
        "empty",
        "bearer",
        "longer",
        "twice",
        "list",
        "encoded",
        "quoted",
        "angled",
        "folded",
        "id-only",
        "oversized",
        "far-behind",
    ],
)
async def test_nothing_but_the_value_itself_counts(ca: Ca, field: str) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        given = field.format(world.secret, world.secret)
        assert SECRET_FIELD in await refused(world, message(f"{SECRET_FIELD}: {given}"))


async def test_a_field_in_the_body_or_an_attached_message_is_text(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        inner = f"{SECRET_FIELD}: {world.secret}\r\nFrom: {SENDER}\r\n\r\nx"
        assert SECRET_FIELD in await refused(world, body(text=f"{SECRET_FIELD}: {world.secret}"))
        assert SECRET_FIELD in await refused(world, body(text=f"\r\n{inner}"))
        attached = (
            f"From: {SENDER}\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n"
        ).encode()  # fmt: skip
        assert SECRET_FIELD in await refused(world, attached)


async def test_a_name_with_a_blank_before_its_colon_is_no_field(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        assert "not well formed" in await refused(world, message(f"{SECRET_FIELD} : {world.secret}"))


async def test_each_sender_must_be_the_tenants(ca: Ca) -> None:
    """EchoSpoofing by way of a second address, of MAIL FROM, or of From alone."""
    async with Fronted({}, side("there.test"), ca) as world:
        field = f"{SECRET_FIELD}: {world.secret}"
        two = message(field, f"Sender: {SENDER}").replace(
            f"From: Nurse Fern <{SENDER}>".encode(), f"From: {SENDER}, x@{OTHER_DOMAIN}".encode()
        )
        assert "5.7.1" in await refused(world, two)
        assert "5.7.1" in await refused(world, message(field, sender=f"x@{OTHER_DOMAIN}"))
        assert "5.7.1" in await refused(world, message(field, sender="x@unknown.test"))
        assert "5.7.1" in await refused(world, message(field), sender="srs0=x@forwarder.test")
        doubled = message(field).replace(b"Subject:", f"From: x@{OTHER_DOMAIN}\r\nSubject:".encode())
        assert "appears twice" in await refused(world, doubled)
        group = message(field).replace(f"Nurse Fern <{SENDER}>".encode(), f"Group: {SENDER};".encode())
        await refused(world, group)


async def test_sender_may_be_outside_but_never_another_tenants_here(ca: Ca) -> None:
    """Mail programs show "Sender on behalf of From": a calendar may stand there, a neighbour's chief may not."""
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        field = f"{SECRET_FIELD}: {world.secret}"
        for sender in (f"Chief <chief@{OTHER_DOMAIN}>", f"chief@{OTHER_DOMAIN.upper()}"):
            assert "Sender" in await refused(world, message(field, f"Sender: {sender}"))
        for sender in ("calendar@outside.example", f"desk@{DOMAIN}"):
            await world.hand_over(message(field, f"Sender: {sender}"))
        await there.wait(2)
        assert [one.cause for one in await world.events("sender.refused")] == ["not-our-domain"] * 2


async def test_who_signs_in_sends_as_their_own_organisation_alone(ca: Ca) -> None:
    """SMTP AUTH with From, MAIL FROM or Sender of another tenant, also with that tenant's valid secret and the shared
    certificate, by an ordinary credential and by a connection's."""
    async with Fronted({}, side("there.test"), ca) as world:
        for gateway in ("", "willow-front"):
            world.change(credentials=(Credential("c", WILLOW, "exchange", scram.make("a-word"), gateway=gateway),))
            secret = f"{SECRET_FIELD}: {world.other_secret}"
            foreign = f"x@{OTHER_DOMAIN}"
            for raw, sender in (
                (message(sender=foreign), SENDER), (message(sender=foreign), ""), (message(), foreign),
                (message(secret, sender=foreign), SENDER), (message(secret, sender=foreign), ""),
                (message(f"Sender: {foreign}"), SENDER),
            ):  # fmt: skip
                for shown in (None, "provider"):
                    said = await refused(world, raw, sender=sender, shown=shown, login=("exchange", "a-word"))
                    assert said.startswith(("5.7.1", "5.6.0")), (gateway, raw, sender, said)
        await world.intake.close()
        assert await world.events("message.accepted") == []


async def test_the_key_all_tenants_share_is_nobodys_own(ca: Ca) -> None:
    """An administrator who enters the provider's key as the tenant's own opens the door to no other tenant."""
    provider = ca.leaf("mail.protection.outlook.com")
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        world.change(
            settings=Settings(
                shared_names=("mail.protection.outlook.com",), keys=(hashlib.sha256(provider.spki).hexdigest(),)
            )
        )
        assert SECRET_FIELD in await refused(world, message(), shown=provider)
        await world.hand_over(message(f"{SECRET_FIELD}: {world.secret}"), shown=provider)
        await there.wait(1)
        world.change(settings=Settings(keys=(hashlib.sha256(provider.spki).hexdigest(),)))
        with pytest.raises(aiosmtplib.SMTPSenderRefused, match=r"5\.7\.0"):
            await world.hand_over(message(f"{SECRET_FIELD}: {world.secret}"), shown=provider)


async def test_a_bounce_of_the_tenants_own_passes_with_its_secret_alone(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        assert SECRET_FIELD in await refused(world, message(), sender="")
        await world.hand_over(message(f"{SECRET_FIELD}: {world.secret}"), sender="")
        await there.wait(1)
        assert there.messages[0][0][0].startswith("MAIL FROM:<>")


@pytest.mark.parametrize(
    "said", ["birch.onmicrosoft.test", f"{DOMAIN}.evil.test", ""], ids=["other", "longer", "empty"]
)
async def test_the_provider_names_another_tenant(ca: Ca, said: str) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        field = f"{SECRET_FIELD}: {world.secret}"
        assert "X-OriginatorOrg" in await refused(world, message(field, f"X-OriginatorOrg: {said}"))
        assert "X-OriginatorOrg" in await refused(
            world, message(field, f"X-OriginatorOrg: {DOMAIN}", f"x-originatororg: {said}")
        )


async def test_the_provider_names_this_tenant(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        field = f"{SECRET_FIELD}: {world.secret}"
        await world.hand_over(message(field, f"X-OriginatorOrg: {DOMAIN.upper()}"))
        world.change(settings=Settings(shared_names=SHARED.shared_names, originator="willow.onmicrosoft.test"))
        await world.hand_over(message(field, "X-OriginatorOrg: willow.onmicrosoft.test"))
        assert "X-OriginatorOrg" in await refused(world, message(field, f"X-OriginatorOrg: {DOMAIN}"))
        await there.wait(2)


async def test_a_connection_sends_only_as_its_own_domains(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        field = f"{SECRET_FIELD}: {world.secret}"
        domains = (*world.snapshot.domains, type(world.snapshot.domains[0])("annex.willow.test"))
        world.change(settings=Settings(shared_names=SHARED.shared_names, domains=(DOMAIN,)), domains=domains)
        assert "5.7.1" in await refused(world, message(field, sender="x@annex.willow.test"), sender=SENDER)
        assert "5.7.1" in await refused(
            world, message(field, sender="x@annex.willow.test"), sender="x@annex.willow.test"
        )


async def test_what_the_provider_found_out_stays_and_every_other_field_too(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    kept = (
        "Received: from a.provider.test by b.provider.test; Sat, 21 Nov 2026 12:00:00 +0000",
        "Received: from c.provider.test by a.provider.test; Sat, 21 Nov 2026 11:59:00 +0000",
        "ARC-Seal: i=1; a=rsa-sha256; d=provider.test; s=a; cv=none; b=AAAA",
        "ARC-Message-Signature: i=1; a=rsa-sha256; d=provider.test; s=a; h=from;\r\n\tbh=BBBB; b=CCCC",
        "ARC-Authentication-Results: i=1; provider.test; dkim=pass header.d=willow.test",
        "Authentication-Results: provider.test; dkim=none",
        "DKIM-Signature: v=1; a=rsa-sha256; d=willow.test; s=p1; h=from; bh=DDDD; b=EEEE",
        "Thread-Topic: Invented",
    )
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        await world.hand_over(message(*kept, f"{SECRET_FIELD}: {world.secret}"))
        await there.wait(1)
        sent = there.messages[0][1]
        at = [sent.index(field.encode() + b"\r\n") for field in kept]
        assert at == sorted(at)


async def test_a_mark_of_another_connection_is_not_a_loop(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        await world.hand_over(message(f"{SECRET_FIELD}: {world.secret}", f"{LOOP_FIELD}: {'0' * 32}"))
        await there.wait(1)
        assert LOOP_FIELD.lower().encode() not in there.messages[0][1].lower()


async def test_too_many_received_fields_are_a_loop(ca: Ca) -> None:
    """BI-027."""
    async with Fronted({}, side("there.test"), ca) as world:
        raw = message(f"{SECRET_FIELD}: {world.secret}", *["Received: from a by b; now"] * 101)
        assert "5.4.6" in await refused(world, raw)


async def test_a_lost_office_asks_to_come_again(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        world.directory._stale_after = -1.0
        with pytest.raises(aiosmtplib.SMTPResponseException) as later:
            await world.hand_over(message(f"{SECRET_FIELD}: {world.secret}"))
        assert later.value.code == 451
        world.directory._stale_after = 60.0
