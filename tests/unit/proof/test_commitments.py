"""Commitments: what they bind, and what nobody can guess from them."""

import hashlib

import msgspec
import pytest

from carepost.crypto import dkim, rest
from carepost.proof import event, kinds, openings
from carepost.proof.commitments import Wire, mail_value, scrub, submitted_digest

pytestmark = pytest.mark.fast

RAW = b"From: a@clinic.test\r\nTo: b@x.test\r\nMessage-ID: <1@clinic.test>\r\nSubject: Visit\r\n\r\nHello\r\n"


def test_a_commitment_is_the_hash_of_salt_and_value() -> None:
    draft, opened = kinds.make(
        kinds.DELIVERY_QUEUED, id="e", org="o", at=1, actor=("key", "k"), on=["m", "d"],
        values=kinds.commit_recipient("b@x.test"),
    )  # fmt: skip
    salt, value = opened["recipient"]
    assert value == b"b@x.test"
    assert len(salt) == 16
    assert draft.commit == {"recipient": hashlib.sha256(salt + value).hexdigest()}
    assert b"b@x.test" not in event.finish(draft, "shard-0001", 1)


def test_equal_values_have_unequal_commitments() -> None:
    made = {event.commit({"recipient": b"b@x.test"})[0]["recipient"] for _ in range(50)}
    assert len(made) == 50


def test_the_mail_value_is_what_the_format_says() -> None:
    """docs/proof-format.md, computed by hand."""
    message_id = b"<1@clinic.test>"
    key = hashlib.sha256(b"mail\0" + message_id).digest()
    body = hashlib.sha256(b"Hello\r\n").digest()
    wanted = [
        ("message-id", hashlib.sha256(b"message-id\0" + message_id)),
        ("body", hashlib.sha256(key + b"body\0" + body)),
        ("from", hashlib.sha256(key + b"from\0" + b"a@clinic.test")),
        ("to", hashlib.sha256(key + b"to\0" + b"b@x.test")),
        ("date", hashlib.sha256(key + b"date\0")),
        ("subject", hashlib.sha256(key + b"subject\0" + b"Visit")),
    ]
    assert mail_value(RAW).decode() == "\n".join(f"{name} {h.hexdigest()}" for name, h in wanted)
    assert mail_value(RAW, dkim.body_hash_relaxed(RAW)) == mail_value(RAW)


def test_a_short_body_cannot_be_guessed_without_the_mail() -> None:
    """The same words in two messages have nothing in common in their proofs."""
    other = RAW.replace(b"<1@", b"<2@")
    mine, theirs = mail_value(RAW).split(b"\n"), mail_value(other).split(b"\n")
    assert not set(mine) & set(theirs)


@pytest.mark.parametrize(
    "field",
    [
        b"Bcc: q@x.test\r\n",
        b"BCC:q@x.test,\r\n\tr@x.test\r\n",
        b"Resent-Bcc : q@x.test\r\n",
        b"Bcc:\r\n",
        b"bcc: a\r\nBcc: b\r\n",
    ],
)
def test_a_blind_recipient_leaves_no_trace_in_the_submitted_digest(field: bytes) -> None:
    """Whoever received the mail could otherwise test guesses of a blind recipient."""
    plain = hashlib.sha256(RAW).digest()
    assert submitted_digest(RAW) == plain
    for place in (b"From:", b"To:", b"Subject:", b"\r\nHello"):
        assert submitted_digest(RAW.replace(place, field + place, 1)) == plain if place != b"\r\nHello" else True
    assert submitted_digest(field + RAW) == plain
    last = RAW.replace(b"Subject: Visit\r\n", b"Subject: Visit\r\n" + field)
    assert submitted_digest(last) == plain


def test_only_bcc_fields_are_taken_out() -> None:
    body = RAW.replace(b"Hello", b"Bcc: not a field")
    assert submitted_digest(body) == hashlib.sha256(body).digest()
    named = RAW.replace(b"Subject:", b"X-Bcc: kept\r\nSubject:")
    assert submitted_digest(named) == hashlib.sha256(named).digest()
    folded = RAW.replace(b"Visit", b"Visit\r\n bcc: still the subject")
    assert submitted_digest(folded) == hashlib.sha256(folded).digest()


@pytest.mark.parametrize(
    ("reply", "wanted"),
    [
        ("250 2.1.5 <Jane.Roe@X.test> ok", "250 2.1.5 <[recipient]> ok"),
        ("550 no mailbox jane.roe here", "550 no mailbox [recipient] here"),
        ("250 queued as jane.roe2", "250 queued as jane.roe2"),
        ("550 jane.roe@x.test, JANE.ROE@X.TEST", "550 [recipient], [recipient]"),
    ],
)
def test_a_reply_is_kept_without_the_address(reply: str, wanted: str) -> None:
    assert scrub(reply, "jane.roe@x.test") == wanted


def test_the_wire_is_committed_by_hash() -> None:
    value = kinds.commit_wire(
        mx="mx.x.test", address="127.0.0.1", reply="250 to b@x.test", recipient="b@x.test", chain=[b"leaf"],
        tlsa=[b"two", b"one"], mta_sts=b"version: STSv1\n",
    )["wire"]  # fmt: skip
    wire = msgspec.json.decode(value, type=Wire)
    assert (wire.mx, wire.reply, wire.chain) == (
        "mx.x.test",
        "250 to [recipient]",
        [hashlib.sha256(b"leaf").hexdigest()],
    )
    assert wire.mta_sts == hashlib.sha256(b"version: STSv1\n").hexdigest()
    # a set: its order does not count
    again = msgspec.json.decode(kinds.commit_wire(tlsa=[b"one", b"two"])["wire"], type=Wire)
    assert again.tlsa == wire.tlsa != ""


def test_openings_are_sealed_for_their_event_and_organisation() -> None:
    """HS-34: nothing personal in clear; BI-077: no swap."""
    key, org = rest.new_key(), b"o" * 16
    opened = {"recipient": (b"s" * 16, b"bo@verified.test")}
    sealed = openings.seal(key, 3, org, "event-1", opened)
    assert b"verified" not in sealed
    assert openings.key_version(sealed) == 3
    assert openings.open_(key, org, "event-1", sealed) == opened
    for args in ((rest.new_key(), org, "event-1"), (key, b"p" * 16, "event-1"), (key, org, "event-2")):
        with pytest.raises(rest.Damaged):
            openings.open_(*args, sealed)
    with pytest.raises(rest.Damaged):
        openings.open_(key, org, "event-1", b"\0\0\0\x04" + sealed[4:])
    assert openings.seal(key, 3, org, "event-1", {}) == b""
    assert openings.open_(key, org, "event-1", b"") == {}


def test_every_kind_has_words_and_a_level() -> None:
    levels = {kinds.MESSAGE, kinds.DELIVERY, kinds.PORTAL, kinds.TRACKING, kinds.STAFF, kinds.HOUSE}
    assert all(info.level in levels and info.words for info in kinds.KINDS.values())
    assert kinds.info("key.revoked") == kinds.KindInfo(kinds.STAFF, "key revoked")


def test_the_bytes_of_an_event_are_fixed() -> None:
    """DESIGN 4: fields are only ever added; these bytes were made by the first version."""
    draft, _ = kinds.make(
        kinds.DELIVERY_SENT, id="018f", org="0190", at=1_800_000_000_000_001, actor=("system", "shard-0001"),
        on=["m", "d"], facts={"tls": "TLSv1.3"}, cause="ok", policy="7", category="transactional",
    )  # fmt: skip
    assert event.finish(draft, "shard-0001", 42) == (
        b'{"v":1,"id":"018f","org":"0190","source":"shard-0001","seq":42,"at":1800000000000001,"kind":"delivery.sent",'
        b'"actor":{"kind":"system","id":"shard-0001"},"on":["m","d"],"result":"ok","cause":"ok","policy":"7",'
        b'"category":"transactional","commit":{},"facts":{"tls":"TLSv1.3"}}'
    )
