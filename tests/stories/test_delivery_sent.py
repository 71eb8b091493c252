"""A message to a side with verified TLS arrives once, signed last, with nothing of ours or of others in it."""

import dkim

from carepost.policy.types import Assurance
from carepost.proof import kinds
from tests.support.delivering import DOMAIN, SENDER, Delivering, body, side
from tests.support.mailhost import Ca, MailHost


async def test_it_arrives_once_over_verified_tls(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.method, view.assurance) == ("sent", "tls", "VERIFIED")
        (attempt,) = view.attempts
        assert (attempt.required, attempt.achieved) == ("VERIFIED", "VERIFIED")
        assert (attempt.stage, attempt.result, attempt.mx) == ("dot", "sent", "mx.there.test")
        assert attempt.tls.startswith("TLSv1.3")
        assert attempt.reply.startswith("250")
        assert len(host.messages) == 1
        assert willow.posture.seen("there.test").tls is Assurance.VERIFIED
        (sent,) = await willow.events(kinds.DELIVERY_SENT)
        assert (sent.facts["achieved"], sent.facts["tls"], sent.facts["mta-sts"]) == ("VERIFIED", "TLSv1.3", "none")
        assert {"sent", "mail", "wire"} <= set(sent.commit)
        opened = await willow.openings(kinds.DELIVERY_SENT)
        assert b"mx.there.test" in opened["wire"]
        assert b"jane.roe" not in opened["wire"]


async def test_the_recipients_address_is_taken_out_of_the_servers_reply(ca: Ca) -> None:
    says = {"DOT": ["250 2.0.0 <jane.roe@there.test> has it"]}
    host = MailHost(ca.leaf("mx.there.test").context(), says=says)
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert view.attempts[0].reply == "250 2.0.0 <[recipient]> has it"


async def test_the_signature_is_made_last_and_holds(ca: Ca) -> None:
    """Another implementation verifies what arrived (RFC 6376, RFC 8463)."""
    host = MailHost(ca.leaf("mx.there.test").context())
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        await willow.ended(
            await willow.submit("jane.roe@there.test", raw=body(text=".a line that begins with a dot\r\n.."))
        )
        ((_, arrived),) = host.messages
        found = {f"s1._domainkey.{DOMAIN}.".encode(): willow.dkim_record.encode()}
        assert dkim.verify(arrived, dnsfunc=lambda name, timeout=5: found.get(name))
        assert b"\r\n.a line that begins with a dot\r\n..\r\n" in arrived
        altered = arrived.replace(b"begins with", b"begins  not with")
        assert not dkim.verify(altered, dnsfunc=lambda name, timeout=5: found.get(name))


async def test_what_must_not_leave_does_not(ca: Ca) -> None:
    """DESIGN 3: blind copies, our triggers, and addresses of clients."""
    host = MailHost(ca.leaf("mx.there.test").context())
    extra = (
        "Bcc: secret.friend@elsewhere.test\r\nX-Carepost-Secret: open sesame\r\nX-Originating-IP: 192.0.2.99\r\n"
        "Resent-Bcc: other@elsewhere.test\r\n"
    )
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        await willow.ended(await willow.submit("jane.roe@there.test", raw=body(extra=extra)))
        ((_, arrived),) = host.messages
        for word in (b"secret.friend", b"sesame", b"192.0.2.99", b"other@elsewhere", b"bcc"):
            assert word not in arrived.lower(), word
        assert b"Subject: Invented results\r\n" in arrived


async def test_many_recipients_are_many_transactions_over_one_connection_with_one_signature(ca: Ca) -> None:
    """Laws 2 and 3 of performance: one recipient a transaction; bytes that are equal are signed once."""
    host = MailHost(ca.leaf("mx.there.test").context())
    people = [f"person{number}@there.test" for number in range(8)]
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        willow.courier._per_host = 1
        accepted = await willow.submit(*people)
        for number in range(8):
            assert (await willow.ended(accepted, number=number)).state == "sent"
        assert (len(host.messages), host.connections) == (8, 1)
        assert len({arrived for _, arrived in host.messages}) == 1
        assert all(len(envelope) == 2 for envelope, _ in host.messages)
        assert {envelope[1] for envelope, _ in host.messages} == {f"RCPT TO:<{person}>" for person in people}
        assert {envelope[0].split()[1] for envelope, _ in host.messages} == {f"FROM:<{SENDER}>"}


async def test_a_server_without_pipelining_is_asked_in_turn(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=[])
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        assert (len(host.messages), host.connections) == (2, 1)


async def test_the_second_host_gets_it_when_the_first_is_closed(ca: Ca) -> None:
    zone: dict[tuple[str, str], object] = {
        ("there.test", "MX"): ["10 closed.there.test.", "20 mx.there.test."],
        ("closed.there.test", "A"): "8.8.8.8",
        ("mx.there.test", "A"): "8.8.4.4",
    }
    host, closed = MailHost(ca.leaf("mx.there.test").context()), MailHost(says={"BANNER": ["DROP"]})
    async with Delivering({"mx.there.test": host, "closed.there.test": closed}, zone, ca) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test"))
        assert (view.state, view.attempts[0].mx, len(view.attempts)) == ("sent", "mx.there.test", 1)


async def test_a_large_message_arrives_whole(ca: Ca) -> None:
    host = MailHost(ca.leaf("mx.there.test").context(), offers=["PIPELINING", "8BITMIME"])
    text = "\r\n".join(f"line {number} of an invented record" for number in range(60_000))
    async with Delivering({"mx.there.test": host}, side("there.test"), ca) as willow:
        assert (await willow.ended(await willow.submit("jane.roe@there.test", raw=body(text=text)))).state == "sent"
        assert host.messages[0][1].endswith(text.encode() + b"\r\n")
