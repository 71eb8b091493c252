"""A provider's server hands a tenant's mail over; it goes through the policy and out to the recipient's own host."""

import hashlib

import aiosmtplib
import pytest

from carepost.crypto import scram
from carepost.directory.gateways import LOOP_FIELD, SECRET_FIELD, Settings, loop_mark
from carepost.directory.types import Credential
from carepost.ground import ids
from carepost.proof import event
from tests.support.certificates import Ca, make
from tests.support.delivering import DOMAIN, SENDER, WILLOW, body, side
from tests.support.fronts import OTHER_DOMAIN, PROVIDER, Fronted, value
from tests.support.mailhost import MailHost

WORD = "an-invented-word-of-willow"
SHARED = Settings(shared_names=(f"*.{PROVIDER.partition('.')[2]}",))


def with_secret(value: str, **how: str) -> bytes:
    return body(extra=f"{SECRET_FIELD}: {value}\r\n", **how)


async def told(world: Fronted, kind: str = "sender.refused") -> list[event.Event]:
    await world.intake.close()
    return await world.events(kind)


async def test_a_tenants_mail_is_protected_and_delivered_and_its_secret_is_nowhere(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        said = await world.hand_over(with_secret(world.secret))
        assert said.startswith("2.0.0 Accepted as ")
        await there.wait(1)
        ((envelope, sent),) = there.messages
        assert envelope[0].startswith(f"MAIL FROM:<{SENDER}>")
        assert b"X-Carepost" not in sent and world.secret.encode() not in sent
        assert b"The invented results." in sent and b"DKIM-Signature" in sent
        (accepted,) = await world.events("message.accepted")
        assert accepted.facts["gateway"] == "willow-front" and accepted.actor.kind == "gateway"
        opened = await world.openings("message.accepted")
        assert world.secret.encode() not in b"".join(opened.values())


async def test_another_tenant_of_the_same_provider_cannot_send_as_ours(ca: Ca) -> None:
    """EchoSpoofing: the provider's certificate is genuine, the From is our customer's, the tenant is somebody else."""
    async with Fronted({}, side("there.test"), ca) as world:
        for message in (body(), with_secret(world.other_secret), with_secret("willow-front.guessed")):
            with pytest.raises(aiosmtplib.SMTPDataError) as refused:
                await world.hand_over(message)
            assert refused.value.code == 550 and refused.value.message.startswith("5.7.1 ")
            assert SECRET_FIELD in refused.value.message
        events = await told(world)
        assert [one.cause for one in events] == ["gateway-secret"] * 3
        assert {one.org for one in events} == {ids.text(WILLOW)}
        assert await world.events("message.accepted") == []


async def test_our_own_tenant_cannot_send_as_another(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        forged = with_secret(world.secret).replace(DOMAIN.encode(), OTHER_DOMAIN.encode())
        with pytest.raises(aiosmtplib.SMTPDataError, match=r"5\.7\.1"):
            await world.hand_over(forged, sender="")
        with pytest.raises(aiosmtplib.SMTPResponseException, match=r"5\.7\.1"):
            await world.hand_over(with_secret(world.secret), sender=f"x@{OTHER_DOMAIN}")


async def test_the_secret_counts_for_nothing_without_the_shared_part(ca: Ca) -> None:
    async with Fronted({}, side("there.test"), ca) as world:
        stranger = Ca("Somebody's own CA").leaf(PROVIDER)
        for shown in (None, stranger, ca.leaf("mail.elsewhere.test"), make("self", (PROVIDER,))):
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await world.hand_over(with_secret(world.secret), shown=shown)
            assert refused.value.code == 530


async def test_an_address_of_the_provider_is_as_little_as_its_certificate(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    settings = Settings(shared_networks=("127.0.0.0/8",))
    async with Fronted({"mx.there.test": there}, side("there.test"), ca, settings=settings) as world:
        with pytest.raises(aiosmtplib.SMTPDataError, match=r"5\.7\.1"):
            await world.hand_over(body(), shown=None)
        await world.hand_over(with_secret(world.secret), shown=None)
        await there.wait(1)


async def test_a_certificate_of_the_tenants_own_needs_no_secret_and_no_use_for_clients(ca: Ca) -> None:
    """Public authorities put no use "client authentication" into certificates any more: it is not asked for."""
    there = MailHost(ca.leaf("mx.there.test").context())
    own = make("mail.willow.test", ("mail.willow.test",))
    settings = Settings(keys=(hashlib.sha256(own.spki).hexdigest(),))
    async with Fronted({"mx.there.test": there}, side("there.test"), ca, settings=settings) as world:
        await world.hand_over(body(), shown=own)
        await there.wait(1)
        with pytest.raises(aiosmtplib.SMTPDataError, match=r"5\.7\.1"):
            await world.hand_over(body().replace(SENDER.encode(), b"x@birch.test"), shown=own, sender="")


async def test_two_secrets_count_while_they_are_changed(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        fresh, digest = value("willow-front")
        world.change(secrets=(world.digest, digest))
        for one in (world.secret, fresh):
            await world.hand_over(with_secret(one))
        world.change(secrets=(digest,))
        with pytest.raises(aiosmtplib.SMTPDataError, match="X-Carepost-Gateway"):
            await world.hand_over(with_secret(world.secret))
        await there.wait(2)
        opened = b"".join((await world.openings("message.accepted")).values())
        for one in (world.secret, fresh):
            assert not any(one.encode() in sent for _, sent in there.messages) and one.encode() not in opened
            assert not any(one.encode() in file.read_bytes() for file in world.folder.rglob("*") if file.is_file())


async def test_a_system_that_signs_in_needs_no_certificate_and_its_fields_are_taken_out(ca: Ca) -> None:
    there = MailHost(ca.leaf("mx.there.test").context())
    async with Fronted({"mx.there.test": there}, side("there.test"), ca) as world:
        known = Credential("cred-exchange", WILLOW, "exchange", scram.make(WORD), gateway="willow-front")
        world.change(credentials=(known,))
        for extra in ("", f"{SECRET_FIELD}: whatever\r\n"):
            await world.hand_over(body(extra=extra), shown=None, login=("exchange", WORD))
        await there.wait(2)
        assert not any(SECRET_FIELD.encode() in sent for _, sent in there.messages)
        accepted = await world.events("message.accepted")
        assert {one.facts["gateway"] for one in accepted} == {"willow-front"}
        assert {one.actor.kind for one in accepted} == {"credential"}
        mark = loop_mark(world.keys, "willow-front")
        for extra in (f"X-OriginatorOrg: {OTHER_DOMAIN}\r\n", f"{LOOP_FIELD}: {mark}\r\n"):
            with pytest.raises(aiosmtplib.SMTPDataError, match=r"5\.[74]\."):
                await world.hand_over(body(extra=extra), shown=None, login=("exchange", WORD))
