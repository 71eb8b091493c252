"""What a tenant's mailbox forwards by itself: taken only where the organisation allows it, sent under its own signed
address, decided like any mail; what comes back to that address is resolved, and a forged one changes nothing."""

import aiosmtplib
import msgspec
import pytest

from carepost.crypto import dkim_verify
from carepost.delivery.questions import Questions
from carepost.directory.gateways import SECRET_FIELD, Settings
from carepost.directory.types import Credential
from carepost.ground import clock, ids
from carepost.intake.proving import Prover
from carepost.policy.types import Rule
from carepost.proof import kinds
from carepost.reception.credentials import Identity
from carepost.rfc import asking
from carepost.rfc.asking import Found
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Accepted
from tests.support.certificates import Ca
from tests.support.delivering import BY_MAIL, DOMAIN, SENDER, body, side
from tests.support.fronts import OTHER_DOMAIN, PROVIDER, Fronted
from tests.support.mailhost import MailHost

SHARED = Settings(shared_names=(f"*.{PROVIDER.partition('.')[2]}",))
FORWARDS = msgspec.structs.replace(SHARED, forwards=True)
PAT = "pat@home.test"
MARK = f"X-MS-Exchange-Inbox-Rules-Loop: {SENDER}"
#: Exchange and Gmail rewrite the reverse path, others do not
SRS = f"pat+SRS=a1b2=home.test=pat@{DOMAIN}"


def letter(world: Fronted, *fields: str, author: str = PAT, secret: bool = True) -> bytes:
    head = [f"{SECRET_FIELD}: {world.secret}"] if secret else []
    return body(extra="".join(f"{field}\r\n" for field in (*head, *fields))).replace(
        SENDER.encode(), author.encode(), 1
    )


def there(ca: Ca) -> MailHost:
    return MailHost(ca.leaf("mx.there.test").context())


async def refusal(world: Fronted, raw: bytes, **how: str) -> str:
    with pytest.raises((aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused)) as error:
        await world.hand_over(raw, **how)
    return error.value.message


@pytest.mark.parametrize("sender", [SRS, PAT, ""], ids=["rewritten", "kept", "null"])
async def test_it_leaves_under_the_organisations_own_signed_address(ca: Ca, sender: str) -> None:
    host = there(ca)
    async with Fronted({"mx.there.test": host}, side("there.test"), ca, settings=FORWARDS) as world:
        said = await world.hand_over(letter(world, MARK), sender=sender)
        view = await world.ended(Accepted(said.split()[-1], ()))
        assert (view.state, view.assurance) == ("sent", "VERIFIED")
        ((envelope, sent),) = host.messages
        path = envelope[0].partition("<")[2].partition(">")[0]
        assert path.startswith("forward+") and path.endswith(f"@{DOMAIN}") and len(path.partition("@")[0]) <= 64
        assert b"From: Nurse Fern <pat@home.test>" in sent and world.secret.encode() not in sent
        record = world.dkim_record.encode()
        (signed,) = asking.run(dkim_verify.verify(sent, clock.now() // 1_000_000), lambda _: Found(texts=(record,)))
        assert (signed.result, signed.domain) == ("pass", DOMAIN), "signed by who forwards, in its own name"
        (event,) = await world.events(kinds.MESSAGE_ACCEPTED)
        assert event.facts["forwarded"] == "yes" and event.facts["gateway"] == "willow-front"


async def test_only_where_the_organisation_allows_it_and_only_with_a_mark_and_the_secret(ca: Ca) -> None:
    host = there(ca)
    async with Fronted({"mx.there.test": host}, side("there.test"), ca, settings=SHARED) as world:
        assert "not allowed for this connection" in await refusal(world, letter(world, MARK), sender=SRS)
        assert "No connection" in await refusal(world, letter(world, MARK), sender=PAT)
        world.change(settings=FORWARDS)
        assert "not in a sender domain" in await refusal(world, letter(world), sender=SRS)
        assert SECRET_FIELD in await refusal(world, letter(world, MARK, secret=False), sender=SRS)
        elsewhere = f"X-Forwarded-For: someone@elsewhere.test {PAT}"
        assert "not in a sender domain" in await refusal(world, letter(world, elsewhere), sender=SRS)
        # in the name of another organisation here nothing is ever forwarded (EchoSpoofing)
        other = letter(world, MARK, author=f"doctor@{OTHER_DOMAIN}")
        assert "5.7.1" in await refusal(world, other, sender=SRS)
        # nor with a mark of theirs and a secret of ours
        theirs = letter(world, f"Resent-From: doctor@{OTHER_DOMAIN}")
        assert "5.7.1" in await refusal(world, theirs, sender=SRS)
        tenant = letter(world, MARK, f"X-OriginatorOrg: {OTHER_DOMAIN}")
        assert "another tenant" in await refusal(world, tenant, sender=SRS)
        assert host.messages == []
        causes = {event.cause for event in await world.events(kinds.SENDER_REFUSED)}
        assert "gateway-forward" in causes


@pytest.mark.parametrize(
    "mark", [f"X-Forwarded-For: {SENDER} jane.roe@there.test", f"Resent-From: Fern <{SENDER.upper()}>", MARK],
    ids=["gmail", "resent", "exchange"],
)  # fmt: skip
async def test_the_marks_mail_systems_write_are_known(ca: Ca, mark: str) -> None:
    host = there(ca)
    async with Fronted({"mx.there.test": host}, side("there.test"), ca, settings=FORWARDS) as world:
        await world.hand_over(letter(world, mark), sender=SRS)
        await host.wait(1)


async def test_a_credential_of_the_connection_may_forward_too(ca: Ca) -> None:
    host = there(ca)
    settings = msgspec.structs.replace(FORWARDS, credential="cred")
    async with Fronted({"mx.there.test": host}, side("there.test"), ca, settings=settings) as world:
        verifier = "SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92$invented:invented"
        known = Credential("cred", world.snapshot.id, "exchange", verifier, gateway="willow-front")
        raw = letter(world, MARK, secret=False)
        settled = world.gateways.of_credential(
            Identity(known, world.snapshot.epoch), Envelope(SRS, (Recipient("jane.roe@there.test"),)), raw
        )
        assert settled.forwarder == SENDER


async def test_what_it_contains_and_who_gets_it_is_decided_like_any_mail(ca: Ca) -> None:
    host = there(ca)
    held = Rule("by-hand", sender_domain=DOMAIN, recipient="jane.roe@there.test", action="hold")
    async with Fronted(
        {"mx.there.test": host}, side("there.test"), ca, settings=FORWARDS, rules=(held, BY_MAIL)
    ) as world:
        said = await world.hand_over(letter(world, MARK), sender=SRS)
        view = await world.ended(Accepted(said.split()[-1], ()))
        assert (view.state, view.rule) == ("held", "by-hand") and host.messages == []


async def test_a_report_to_its_address_is_resolved_and_a_forged_one_changes_nothing(ca: Ca) -> None:
    host = there(ca)
    async with Fronted({"mx.there.test": host}, side("there.test"), ca, settings=FORWARDS) as world:
        world.intake._inbound._prover = Prover(Questions(world.resolver))
        said = await world.hand_over(letter(world, MARK), sender=SRS)
        accepted = Accepted(said.split()[-1], ())
        view = await world.ended(accepted)
        path = host.messages[0][0][0].partition("<")[2].partition(">")[0]
        report = (
            b"From: MAILER-DAEMON@there.test\r\nTo: x\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: text/plain\r\n\r\nno\r\n--b--\r\n"
        )

        async def comes(raw: bytes, to: str, sender: str = "") -> str:
            return await world.hand_over(raw, sender=sender, to=to, shown=None, name="mx")

        await comes(report, path.upper().replace(DOMAIN.upper(), DOMAIN))
        (event,) = await world.events(kinds.FORWARD_RETURNED)
        assert list(event.on) == [view.id] and event.cause == "delivery-report"
        local = path.partition("@")[0]
        # in the middle: the last letter holds bits that stand for nothing
        half = len(local) // 2 + 4
        other = "a" if local[half] != "a" else "b"
        for forged in (
            f"{local[:half]}{other}{local[half + 1 :]}@{DOMAIN}", f"forward+@{DOMAIN}", f"forward+aaaa@{DOMAIN}",
            f"{local}x@{DOMAIN}",
        ):  # fmt: skip
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await comes(report, forged)
            assert refused.value.code == 550
        # what a person writes there is told that nobody reads it
        with pytest.raises(aiosmtplib.SMTPDataError, match="Nobody reads"):
            await comes(letter(world, secret=False), path, PAT)
        assert len(await world.events(kinds.FORWARD_RETURNED)) == 1
        assert (await world.view(accepted)).state == "sent", "nobody is believed: the delivery stays what it was"
        assert ids.parse(view.id)
