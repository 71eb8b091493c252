"""Letters beyond ASCII: never silently made smaller (RFC 6152, RFC 6531)."""

import dkim
import pytest

from carepost.policy.types import Access
from carepost.rfc.envelope import Recipient
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import DOMAIN, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))
EIGHT = "Content-Transfer-Encoding: 8bit\r\n"


def verified(willow: Delivering, arrived: bytes) -> bool:
    found = {f"s1._domainkey.{DOMAIN}.".encode(): willow.dkim_record.encode()}
    return bool(dkim.verify(arrived, dnsfunc=lambda name, timeout=5: found.get(name)))


async def test_a_server_with_8bitmime_gets_it_as_it_is(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING", "8BITMIME"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        raw = body(extra=EIGHT, text="Grüße")
        assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=raw))).state == "sent"
        ((envelope, arrived),) = host.messages
        assert envelope[0].endswith(" BODY=8BITMIME")
        assert "Grüße".encode() in arrived and verified(willow, arrived)


async def test_a_server_without_8bitmime_gets_it_converted_before_it_is_signed(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING"])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        raw = body(extra=EIGHT, text="Grüße aus der Praxis")
        assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=raw))).state == "sent"
        ((envelope, arrived),) = host.messages
        assert "BODY" not in envelope[0]
        assert arrived.isascii() and b"Gr=C3=BC=C3=9Fe" in arrived
        assert verified(willow, arrived)


async def test_what_cannot_be_converted_goes_another_way(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING"])
    signed = (
        f"From: nurse@{DOMAIN}\r\nSubject: x\r\nMessage-ID: <a@{DOMAIN}>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n'
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n"
        "--b\r\n\r\nsignature\r\n--b--\r\n"
    ).encode()
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=signed, protection=CODE))
        assert (view.method, view.attempts[0].reason) == ("portal", "no-8bitmime")
        assert not host.bodies


@pytest.mark.parametrize("offers", [["PIPELINING", "8BITMIME", "SMTPUTF8"], ["PIPELINING", "8BITMIME"]])
async def test_an_address_in_utf8_goes_to_servers_that_take_it_only(ca: Ca, offers: list[str]) -> None:
    """No silent downgrade: 5.6.7."""
    host = MailHost(ca.leaf("mx.there.test").context(), offers=offers)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        accepted = await willow.submit(Recipient("jürgen@there.test"), smtputf8=True)
        view = await willow.ended(accepted)
        if "SMTPUTF8" in offers:
            assert view.state == "sent"
            assert host.messages[0][0][0].endswith(" SMTPUTF8")
            assert host.messages[0][0][1] == "RCPT TO:<jürgen@there.test>"
        else:
            assert (view.state, view.reason) == ("failed", "no-smtputf8")
            assert not host.bodies


async def test_another_host_of_the_domain_may_take_what_the_first_cannot(ca: Ca) -> None:
    first = MailHost(ca.leaf("mx.there.test").context(), offers=["8BITMIME"])
    second = MailHost(ca.leaf("mx2.there.test").context(), offers=["8BITMIME", "SMTPUTF8"])
    zone: dict[tuple[str, str], object] = {
        ("there.test", "MX"): ["10 mx.there.test.", "20 mx2.there.test."],
        ("mx.there.test", "A"): "8.8.8.8",
        ("mx2.there.test", "A"): "8.8.4.4",
    }
    async with Delivering({"mx.there.test": first, "mx2.there.test": second}, zone, ca) as willow:
        view = await willow.ended(await willow.submit(Recipient("jürgen@there.test"), smtputf8=True))
        assert (view.state, view.attempts[0].mx) == ("sent", "mx2.there.test")
        assert (len(first.messages), len(second.messages)) == (0, 1)
