"""Mail from the world for a clinic behind us: opened and judged here, and on into its own mail system at the floor."""

import re

import aiosmtplib
import msgspec
import pytest

from carepost.crypto.openpgp import keys as pgp_keys
from carepost.crypto.openpgp import message as pgp
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import message
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.signing import Signer
from carepost.directory.gateways import PASSWORD, Login, Settings
from carepost.ground import clock
from carepost.intake.fronted import RESULT_FIELD
from carepost.proof import kinds
from carepost.rfc import mime
from carepost.wire import found as wire
from carepost.wire.found import SIGNED_MAIL
from carepost.wire.types import Accepted
from tests.support.certificates import Ca
from tests.support.delivering import DOMAIN, SENDER
from tests.support.fronts import PROVIDER
from tests.support.keyed_clinic import PAT, Clinic, person
from tests.support.mailhost import MailHost
from tests.support.smime import DAY, Authority

INBOUND = Settings(
    shared_names=(f"*.{PROVIDER.partition('.')[2]}",), host="in.willow-mail.test", inbound=True, domains=(DOMAIN,)
)
#: from anywhere on loopback, Pat's domain may send
ZONE: dict[tuple[str, str], object] = {
    ("home.test", "TXT"): '"v=spf1 ip4:127.0.0.0/8 -all"', ("_dmarc.home.test", "TXT"): '"v=DMARC1; p=reject"',
    ("home.test", "MX"): "10 mx.home.test.", ("mx.home.test", "A"): "8.8.8.8",
}  # fmt: skip
HTML = (
    f"From: Pat Example <{PAT}>\r\nTo: {SENDER}\r\nSubject: My invented rash\r\nMIME-Version: 1.0\r\n"
    "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <9@home.test>\r\n"
    'Content-Type: multipart/alternative; boundary="b-b"\r\n\r\n'
    "--b-b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "It itches =C3=A9.\r\n--b-b\r\nContent-Type: text/html; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n"
    "PGh0bWw+PGJvZHk+SXQgPGI+aXRjaGVzPC9iPi48L2JvZHk+PC9odG1sPg==\r\n--b-b--\r\n"
).encode()
ACCEPT = {"offers": ("PIPELINING", "8BITMIME")}


def tenant(ca: Ca) -> MailHost:
    return MailHost(ca.leaf("in.willow-mail.test").context(), **ACCEPT)  # type: ignore[arg-type]


def result(sent: bytes) -> str:
    head = sent[: sent.index(b"\r\n\r\n")].decode()
    found = re.findall(rf"(?m)^{RESULT_FIELD}: ([^\r]*(?:\r\n[ \t][^\r]*)*)", head)
    assert len(found) == 1, found
    return " ".join(found[0].split())


async def test_ordinary_mail_goes_on_as_it_came_and_says_who_sent_it(ca: Ca) -> None:
    host = tenant(ca)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND, login=None) as world:
        accepted = await world.comes(b"X-Carepost-Opened: forged; signature=valid\r\n" + HTML)
        view = await world.ended(accepted)
        assert (view.state, view.method) == ("sent", "tls") and view.attempts[-1].achieved == "AUTHENTICATED"
        ((envelope, sent),) = host.messages
        assert envelope[0].startswith(f"MAIL FROM:<{PAT}>") and envelope[1].startswith(f"RCPT TO:<{SENDER}>")
        assert sent.endswith(HTML), "not an octet of it is changed, and nothing is signed in its name"
        assert b"X-Carepost-Opened" not in sent and b"DKIM-Signature" not in sent
        assert b"Authentication-Results: mail.willow.test;\r\n\tspf=pass" in sent and b"dmarc=pass" in sent
        (event,) = await world.events("message.accepted")
        assert event.facts["origin"] == "inbound" and event.facts["dmarc"] == "pass"
        assert event.facts["gateway"] == "willow-front"


@pytest.mark.parametrize("vouched", [True, False])
async def test_smime_is_opened_and_its_signature_judged(ca: Ca, vouched: bool) -> None:
    host, office, pat = tenant(ca), person(SENDER), person(PAT)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        world.has(office)
        if vouched:
            world.knows(PAT, pat)
        sealed = message.encrypt(HTML, [Recipient(office.certificate)], clock.now(), signer=Signer(pat))
        assert b"rash" not in sealed
        await world.ended(await world.comes(sealed))
        sent = host.messages[0][1]
        found = result(sent)
        state = "valid" if vouched else "unknown"
        assert f"method=smime; encrypted=yes; signature={state}" in found and "mail.willow.test" in found
        read = mime.read(sent)
        words = "a certificate your organisation vouches for" if vouched else "nobody here vouches"
        assert read.text.startswith("[Carepost opened this message: it came encrypted by S/MIME.")
        assert words in read.text and "It itches é." in read.text
        assert words in (read.html or "") and "<b>itches</b>" in (read.html or "")
        assert b"Subject: My invented rash" in sent
        (event,) = await world.events("message.accepted")
        assert event.facts["opened"] == "decrypted" and event.facts["signature"] == state
        assert event.facts[kinds.OPENING_KEY] == world.snapshot.own_keys[b""][0].id


async def test_the_key_of_who_signed_inside_is_known_afterwards_and_only_where_signed_mail_is_listened_to(
    ca: Ca,
) -> None:
    """Nobody but the organisation's own keys could have looked into it; its authority vouches, and DMARC passed."""
    now = clock.now()
    authority = Authority("Invented Partner CA", start=now - 300 * DAY, end=now + 900 * DAY)
    pat = authority.issue("rsa-2048", PAT, start=now - DAY, end=now + 300 * DAY)
    stranger = person("pat@elsewhere.test")
    host, office = tenant(ca), person(SENDER)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        world.has(office)
        sealed = message.encrypt(HTML, [Recipient(office.certificate)], now, signer=Signer(pat))
        await world.ended(await world.comes(sealed))
        world.change(key_sources=(SIGNED_MAIL,), anchors=(authority.der,))
        for one in (Signer(stranger), None):
            other = message.encrypt(HTML, [Recipient(office.certificate)], now, signer=one)
            await world.ended(await world.comes(other))
        forged = sealed.replace(b"home.test", b"victim.test")
        await world.ended(await world.comes(forged, sender="pat@victim.test"))
        await world.intake.close()
        assert await world.events(kinds.KEY_FOUND) == []
        await world.ended(await world.comes(sealed))
        await world.intake.close()
        assert len(await world.events(kinds.KEY_FOUND)) == 1
        known = wire.decode((await world.openings(kinds.KEY_FOUND))["key"])
        assert (known.address, known.source, known.raw) == (PAT, SIGNED_MAIL, pat.certificate.der)


async def test_openpgp_is_opened(ca: Ca) -> None:
    host, office = tenant(ca), pgp_keys.generate([("Office", SENDER)])
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        world.has(office)
        sealed = pgp.seal(HTML, [(SENDER, office.certificate)], at=clock.now())
        await world.ended(await world.comes(sealed))
        sent = host.messages[0][1]
        assert "method=openpgp; encrypted=yes; signature=none" in result(sent)
        assert "came encrypted by OpenPGP. It was not signed." in mime.read(sent).text


@pytest.mark.parametrize("method", ["smime", "openpgp"])
async def test_bi_075_another_sender_inside_is_said_to_programs_and_to_people(ca: Ca, method: str) -> None:
    host, office, own = tenant(ca), person(SENDER), pgp_keys.generate([("Office", SENDER)])
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        world.has(office if method == "smime" else own)
        inside = HTML.replace(PAT.encode(), b"chief@home.test")
        if method == "smime":
            sealed = message.encrypt(inside, [Recipient(office.certificate)], clock.now())
        else:
            sealed = pgp.seal(inside, [(SENDER, own.certificate)], at=clock.now())
        forged = sealed.replace(b"From: chief@home.test", b"From: " + PAT.encode())
        assert forged != sealed
        for one, warned in ((forged, True), (sealed, False)):
            await world.ended(await world.comes(one))
            sent = host.messages[-1][1]
            assert ("warning=from-differs" in result(sent)) == warned
            read = mime.read(sent)
            assert ("another than outside: do not rely on who wrote it" in read.text) == warned
            assert ("another than outside: do not rely on who wrote it" in (read.html or "")) == warned


async def test_a_signature_alone_is_kept_whole_and_has_no_banner(ca: Ca) -> None:
    host, pat = tenant(ca), person(PAT)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        world.knows(PAT, pat)
        signed = message.sign(HTML, Signer(pat), clock.now())
        await world.ended(await world.comes(signed))
        sent = host.messages[0][1]
        assert sent.endswith(signed) and "encrypted=no; signature=valid" in result(sent)
        altered = signed.replace(b"itches", b"aches!")
        assert altered != signed
        await world.ended(await world.comes(altered))
        assert "signature=invalid" in result(host.messages[1][1])


async def test_what_nobody_here_can_open_goes_on_closed_and_says_so(ca: Ca) -> None:
    host = tenant(ca)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        sealed = message.encrypt(HTML, [Recipient(person(SENDER).certificate)], clock.now())
        await world.ended(await world.comes(sealed))
        sent = host.messages[0][1]
        assert sent.endswith(sealed) and "fault=no-key" in result(sent)


@pytest.mark.parametrize("method", ["smime", "openpgp"])
async def test_a_key_that_was_rotated_away_opens_until_its_overlap_ends_and_a_revoked_one_nothing(
    ca: Ca, method: str
) -> None:
    host = tenant(ca)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        if method == "smime":
            office: Identity | PrivateKey = person(SENDER)
            assert isinstance(office, Identity)
            sealed = message.encrypt(HTML, [Recipient(office.certificate)], clock.now())
        else:
            office = pgp_keys.generate([("Office", SENDER)])
            sealed = pgp.seal(HTML, [(SENDER, office.certificate)], at=clock.now())
        world.has(office)
        (row,) = world.snapshot.own_keys[b""]
        world.has(person(SENDER))
        _, newer = world.snapshot.own_keys[b""]
        now = clock.now()
        ways = {
            # in its overlap; its certificate's end is past as well, which ends signing and not opening
            "overlap": (msgspec.structs.replace(row, retired=True, until=now + DAY, not_after=now - DAY), newer),
            "over": (msgspec.structs.replace(row, retired=True, until=now - 1), newer),
            # what is revoked is in no view of the engines
            "revoked": (newer,),
        }
        for way, keys in ways.items():
            world.change(own_keys={b"": keys})
            await world.ended(await world.comes(sealed))
            sent = host.messages[-1][1]
            if way == "overlap":
                assert f"method={method}; encrypted=yes" in result(sent) and "It itches é." in mime.read(sent).text
            else:
                assert sent.endswith(sealed) and "fault=no-key" in result(sent), way
        assert len(host.messages) == 3


async def test_the_tenants_host_must_prove_itself_and_no_other_method_is_taken(ca: Ca) -> None:
    for context in (Ca("Another CA").leaf("in.willow-mail.test").context(), None):
        host = MailHost(context, offers=("PIPELINING", "8BITMIME"))
        login = Login(PASSWORD, "u", "an-invented-word")
        async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND, login=login) as world:
            view = await world.deferred(await world.comes(HTML))
            assert view.method == "tls" and host.messages == []
            assert not any(one.startswith(("AUTH", "MAIL")) for one in host.commands)


async def test_a_mailbox_the_tenant_does_not_know_makes_no_backscatter(ca: Ca) -> None:
    """Whoever is not proved to have written it gets no report; whoever is, does."""
    host = MailHost(ca.leaf("in.willow-mail.test").context(), offers=("8BITMIME",), says={"RCPT": ["550 5.1.1 no"]})
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        forged = HTML.replace(b"home.test", b"victim.test")
        assert (await world.ended(await world.comes(forged, sender="pat@victim.test"))).state == "failed"
        assert (await world.ended(await world.comes(HTML))).state == "failed"
        origins = [one.facts["origin"] for one in await world.events("message.accepted")]
        assert sorted(origins) == ["bounce", "inbound", "inbound"]


async def test_our_own_addresses_stay_ours_and_are_not_mixed_with_the_tenants(ca: Ca) -> None:
    host = tenant(ca)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        with pytest.raises(aiosmtplib.SMTPResponseException, match=r"5\.7\.1"):
            await world.comes(HTML, to=f"portal@{DOMAIN}")
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await world.comes(HTML, to="anyone@elsewhere.test")
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=world.ports["mx"], start_tls=False, timeout=20)
        await client.connect()
        await client.ehlo()
        await client.mail(PAT)
        assert (await client.rcpt(SENDER)).code == 250
        with pytest.raises(aiosmtplib.SMTPRecipientRefused) as later:
            await client.rcpt(f"notice@{DOMAIN}")
        assert later.value.code == 452
        client.close()
        world.change(settings=msgspec.structs.replace(INBOUND, inbound=False))
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await world.comes(HTML)


async def test_what_the_tenant_sends_to_its_own_people_goes_to_its_own_host(ca: Ca) -> None:
    host = tenant(ca)
    async with Clinic({"in.willow-mail.test": host}, ZONE, ca, settings=INBOUND) as world:
        inner = HTML.replace(PAT.encode(), SENDER.encode())
        raw = f"X-Carepost-Gateway: {world.secret}\r\n".encode() + inner
        said = await world.hand_over(raw, to=f"doctor@{DOMAIN}")
        await world.ended(Accepted(said.split()[-1], ()))
        assert host.messages[0][0][1].startswith(f"RCPT TO:<doctor@{DOMAIN}>")
