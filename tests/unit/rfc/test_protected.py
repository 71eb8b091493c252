"""Header protection, RFC 9788: nothing a person wrote stands outside; reading back gives what was sent (BI-075)."""

import pytest

from carepost.rfc import message, protected
from carepost.rfc.errors import RfcError

pytestmark = pytest.mark.fast

CANARY = "Zebrafinch"
RAW = (
    f"Received: from clinic by carepost.test; Sat, 21 Nov 2026 18:00:00 +0000\r\n"
    f'Authentication-Results: gate.clinic.test; spf=none reason="{CANARY}"\r\nReceived-SPF: none ({CANARY})\r\n'
    f'From: "{CANARY} Ward" <nurse@clinic.test>\r\n'
    f'To: "{CANARY} One" <one@home.test>, {CANARY} list: two@home.test, three@home.test;\r\n'
    f"Cc: four@home.test ({CANARY})\r\n"
    f"Bcc: secret-{CANARY}@home.test\r\n"
    f"Subject: Results of {CANARY}\r\n"
    f"Date: Sat, 21 Nov 2026 18:00:00 +0000 ({CANARY})\r\n"
    f"Message-ID: <1@clinic.test>\r\n"
    f"References: <a@clinic.test>\r\n <b@clinic.test>\r\n"
    f"In-Reply-To: your letter about {CANARY}\r\n"
    f"Comments: {CANARY}\r\nKeywords: {CANARY}\r\nX-Patient: {CANARY}\r\n"
    f"Thread-Topic: {CANARY}\r\nHP-Outer: Subject: {CANARY}\r\n"
    f"MIME-Version: 1.0 ({CANARY})\r\nContent-Description: {CANARY}\r\n"
    f'Content-Type: text/plain; charset="utf-8";\r\n name="{CANARY}"\r\n'
    f"\r\nDear {CANARY}\r\n"
).encode()


def outside(made: protected.Protected) -> bytes:
    return made.outer + b"MIME-Version: 1.0\r\nContent-Type: multipart/encrypted\r\n\r\n"


def test_nothing_a_person_wrote_stands_outside() -> None:
    made = protected.protect(RAW, encrypted=True)
    assert CANARY.encode() not in made.outer
    assert b"Subject: [...]\r\n" in made.outer
    assert b"To: one@home.test,\r\n two@home.test,\r\n three@home.test\r\n" in made.outer
    assert b"From: nurse@clinic.test\r\n" in made.outer
    assert b"Date: Sat, 21 Nov 2026 18:00:00 +0000\r\n" in made.outer
    assert b"References: <a@clinic.test>\r\n <b@clinic.test>\r\n" in made.outer
    assert b"In-Reply-To" not in made.outer
    read = message.read(outside(made))
    assert [f.name for f in read.fields].count(b"received") == 1


def test_bcc_is_in_neither() -> None:
    for encrypted in (True, False):
        made = protected.protect(RAW, encrypted=encrypted)
        assert b"secret-" not in made.outer + made.payload


def test_the_payload_says_what_stands_outside() -> None:
    made = protected.protect(RAW, encrypted=True)
    assert b"HP-Outer: Subject: [...]\r\n" in made.payload
    assert f"HP-Outer: Subject: {CANARY}".encode() not in made.payload
    assert b'Content-Type: text/plain;\r\n hp="cipher"; charset="utf-8"' in made.payload
    assert made.payload.endswith(f"\r\n\r\nDear {CANARY}\r\n".encode())


def test_it_reads_back_as_it_was_sent() -> None:
    made = protected.protect(RAW, encrypted=True)
    opened = protected.open_(outside(made), made.payload, encrypted=True)
    assert opened.protection == "cipher"
    assert opened.warnings == ()
    read = message.read(opened.message)
    assert read.subject == f"Results of {CANARY}"
    assert read.from_[0].name == f"{CANARY} Ward"
    assert read.get("x-patient") == CANARY
    assert read.get("hp-outer") is None
    assert {"subject", "x-patient", "comments", "from", "to"} <= set(opened.hidden)
    assert "message-id" not in opened.hidden
    assert opened.message.endswith(f"\r\n\r\nDear {CANARY}\r\n".encode())


def test_what_is_only_signed_keeps_its_header_outside() -> None:
    made = protected.protect(RAW, encrypted=False)
    assert f"Subject: Results of {CANARY}\r\n".encode() in made.outer
    assert b'hp="clear"' in made.payload
    assert b"HP-Outer" not in made.payload
    opened = protected.open_(outside(made), made.payload, encrypted=False)
    assert (opened.protection, opened.hidden) == ("clear", ())


def test_a_claim_of_encryption_in_a_signed_message_is_not_believed() -> None:
    made = protected.protect(RAW, encrypted=True)
    assert protected.open_(outside(made), made.payload, encrypted=False).protection == "clear"


def test_bi_075_another_from_inside_is_warned_of_and_not_shown_unless_vouched() -> None:
    made = protected.protect(RAW, encrypted=True)
    forged = made.payload.replace(b"<nurse@clinic.test>", b"<chief@bank.test>")
    opened = protected.open_(outside(made), forged, encrypted=True)
    assert opened.warnings == ("from-differs",)
    assert message.read(opened.message).from_[0].address == "nurse@clinic.test"
    vouched = protected.open_(outside(made), forged, encrypted=True, vouched={"chief@bank.test"})
    assert vouched.warnings == ("from-differs",)
    assert message.read(vouched.message).from_[0].address == "chief@bank.test"


def test_two_protected_from_fields_are_refused() -> None:
    made = protected.protect(RAW, encrypted=True)
    with pytest.raises(RfcError):
        protected.open_(outside(made), b"From: <a@b.test>\r\n" + made.payload, encrypted=True)


def test_without_a_mark_nothing_inside_is_a_header_of_the_message() -> None:
    payload = b"Subject: inside\r\nContent-Type: text/plain\r\n\r\nbody\r\n"
    opened = protected.open_(outside(protected.protect(RAW, encrypted=True)), payload, encrypted=True)
    assert opened.protection == ""
    assert message.read(opened.message).subject == "[...]"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"", b"text/plain"),
        (b'Content-Type: text/plain; name="open\r\n', b"text/plain"),
        (b"Content-Type: nonsense\r\n", b"application/octet-stream"),
        (b"Content-Type:\r\n text/html (a comment); charset=utf-8\r\n", b"text/html"),
        (b'Content-Type: text/plain; hp="clear"; charset=utf-8; HP = cipher\r\n', b"text/plain"),
    ],
)
def test_the_mark_is_read_whatever_the_type_was(given: bytes, kept: bytes) -> None:
    made = protected.protect(b"From: a@b.test\r\n" + given + b"\r\nx\r\n", encrypted=True, old_parameter=True)
    assert protected.mark(made.payload) == "cipher"
    assert b"Content-Type: " + kept + b";\r\n hp=" in made.payload
    assert b"clear" not in made.payload


def test_before_rfc_9788_what_is_not_inside_stays_as_it_was_outside() -> None:
    payload = b'Subject: Inside\r\nContent-Type: text/plain; protected-headers="v1"\r\n\r\nbody\r\n'
    opened = protected.open_(outside(protected.protect(RAW, encrypted=True)), payload, encrypted=True)
    read = message.read(opened.message)
    assert (read.subject, read.from_[0].address, opened.protection) == ("Inside", "nurse@clinic.test", "cipher")
    assert (read.get("message-id"), len(read.mailboxes("to"))) == ("<1@clinic.test>", 3)
    marked = payload.replace(b'protected-headers="v1"', b'hp="cipher"')
    read = message.read(
        protected.open_(outside(protected.protect(RAW, encrypted=True)), marked, encrypted=True).message
    )
    assert (read.subject, read.get("message-id"), read.get("to")) == ("Inside", None, None)


def test_a_message_id_that_could_say_anything_is_replaced_the_same_at_every_attempt() -> None:
    odd = RAW.replace(b"<1@clinic.test>", f"<{CANARY} results (1)@clinic.test>".encode())
    first, second = (protected.protect(odd, encrypted=True) for _ in range(2))
    assert CANARY.encode() not in first.outer
    assert first.outer == second.outer
    assert message.read(outside(first)).message_id.endswith("@clinic.test>")
    assert (
        message.read(outside(first)).message_id
        != message.read(outside(protected.protect(RAW, encrypted=True))).message_id
    )


def test_a_header_read_before_says_the_same_as_one_read_now() -> None:
    trace = b"Received: by carepost.test with ESMTPSA id 7;\r\n\tSat, 21 Nov 2026 18:00:01 +0000\r\n"
    head = message.Head.of(message.read(RAW), len(trace))
    assert len(head.read.raw) < len(RAW)
    for encrypted in (True, False):
        now = protected.protect(trace + RAW, encrypted=encrypted)
        known = protected.protect(trace + RAW, encrypted=encrypted, known=head)
        assert known.payload == now.payload and known.shown == now.shown
        # trace fields come first, and ours before all
        assert known.outer == now.outer and known.outer.startswith(trace)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Subject: Results", b"Subject: Another"), (b"Received: from", b"Sender: a@b.test\r\nReceived: from")],
    ids=["changed", "added"],
)
def test_a_header_of_other_octets_is_read_anew(old: bytes, new: bytes) -> None:
    head, other = message.Head.of(message.read(RAW), 0), RAW.replace(old, new, 1)
    assert head.heads(RAW) and not head.heads(other)
    assert protected.protect(other, encrypted=True, known=head) == protected.protect(other, encrypted=True)


def test_a_header_without_a_body_heads_nothing_longer() -> None:
    alone = b"From: nurse@clinic.test\r\nSubject: x\r\n"
    head = message.Head.of(message.read(alone), 0)
    more = alone + b"Bcc: secret@home.test\r\n\r\nx\r\n"
    assert not head.heads(more)
    assert b"secret" not in protected.protect(more, encrypted=True, known=head).payload
