"""The Received trail as others write it."""

import pytest

from carepost.rfc import message, trail

pytestmark = pytest.mark.fast

FIELDS = (
    b"Received: from edge.there.test (edge.there.test [198.51.100.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))"
    b"\r\n\tby mx.clinic.test (Postfix) with ESMTPS id ABC\r\n\tfor <nora@clinic.test>; "
    b"Sat, 21 Nov 2026 12:00:42 +0100\r\n"
    b"Received: from [192.168.1.5] (helo=laptop) by edge.there.test with esmtpsa (Exim) id x; "
    b"Sat, 21 Nov 2026 11:00:40 +0000\r\n"
    b"Received: by laptop id y; Sat, 21 Nov 2026 11:00:40 +0000\r\n"
)


def hops(fields: bytes) -> tuple[trail.Hop, ...]:
    return trail.read(message.read(fields + b"From: a@b.test\r\n\r\n"))


def test_in_order_of_travel_with_delays() -> None:
    first, second, third = hops(FIELDS)
    assert (first.by, first.named, first.encrypted, first.delay) == ("laptop", "", None, None)
    assert (second.address, second.protocol, second.encrypted, second.delay) == ("192.168.1.5", "ESMTPSA", True, 0)
    assert (third.named, third.address, third.by) == ("edge.there.test", "198.51.100.7", "mx.clinic.test")
    assert (third.tls, third.delay) == ("TLSv1.3", 2)
    assert third.protocol == "ESMTPS"


@pytest.mark.parametrize("date", ["Sat, 21 Nov 9999 12:00:42 +0000", "yesterday", "", "Sat, 99 Nov 2026", "-1"])
def test_bi_065_dates_that_are_none(date: str) -> None:
    [hop] = hops(f"Received: from a by b with SMTP; {date}\r\n".encode())
    assert hop.delay is None and hop.encrypted is False


def test_bi_027_of_a_loop_the_first_and_the_last_are_read() -> None:
    lines = [
        f"Received: from r{n} by x with SMTP; Sat, 21 Nov 2026 11:{n // 60:02}:{n % 60:02} +0000\r\n"
        for n in range(250)
    ]
    raw = "".join(reversed(lines)).encode() + b"From: a@b.test\r\n\r\n"
    read = message.read(raw, most_received=message.MAX_FIELDS)
    assert trail.count(read) == 250
    found = trail.read(read)
    assert [hop.named for hop in found] == [f"r{n}" for n in (*range(50), *range(200, 250))]
    assert [hop.delay for hop in found] == [None, *[1] * 49, None, *[1] * 49]
    assert [hop.delay for hop in hops("".join(reversed(lines[:60])).encode())] == [None, *[1] * 59]


def test_a_hundred_long_fields_are_read_at_once() -> None:
    long = b"Received: from " + b"(" * 20_000 + b" by x; nonsense\r\n"
    assert len(hops(long * 20)) == 20


@pytest.mark.parametrize(
    "said",
    [
        # Postfix, Exchange, Exim, qmail and Sendmail; 198.51.100.9 is what the client called itself
        "[198.51.100.9] (unknown [203.0.113.66])",
        "[IPv6:2001:db8::9] (unknown [203.0.113.66]) (using TLSv1.3 with cipher X (256/256 bits))",
        "[198.51.100.9] (203.0.113.66)",
        "[203.0.113.66] (helo=[198.51.100.9])",
        "x ([203.0.113.66] helo=[198.51.100.9])",
        "x ([203.0.113.66] ident=[198.51.100.9])",
        "unknown (HELO [198.51.100.9]) (203.0.113.66)",
        "unknown (HELO x) (someone@203.0.113.66)",
        "[198.51.100.9] ([198.51.100.9]@host.there.test [203.0.113.66] (may be forged))",
        # Postfix puts several words after HELO together
        "x (y [198.51.100.9]) (unknown [203.0.113.66])",
        'x (unknown [203.0.113.66]) (Client CN "[198.51.100.9]", Issuer "x" (not verified))',
        "[203.0.113.66]",
    ],
)
def test_the_address_is_the_one_the_server_saw(said: str) -> None:
    [hop] = hops(
        f"Received: from {said} by mx.clinic.test with ESMTP id 1; Mon, 23 Nov 2026 02:00:00 +0000\r\n".encode()
    )
    assert hop.address == "203.0.113.66"


def test_an_address_of_ipv6_without_brackets_is_read_as_well() -> None:
    head = b"Received: from mail.there.test (2001:db8::66) by mx.clinic.test (2001:db8::1) with Microsoft SMTP Server;"
    [hop] = hops(head + b" Mon, 23 Nov 2026 02:00:00 +0000\r\n")
    assert (hop.address, hop.by) == ("2001:db8::66", "mx.clinic.test")
    [hop] = hops(b"Received: from x (12:30:00) by mx.clinic.test; Mon, 23 Nov 2026 02:00:00 +0000\r\n")
    assert hop.address == ""
