"""The verdict on a proof: what passes, what is named, and nothing of another recipient in it (HS-36, BI-082)."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from carepost.proof import event, file, kinds, merkle, note
from carepost.proof.note import Checkpoint, SignerKey
from carepost.proof.verdict import Verdict
from carepost.proof.verify import verify

pytestmark = pytest.mark.fast


def wrong(verdict: Verdict) -> list[str]:
    assert not verdict.ok
    assert verdict.words.startswith("not proven: ")
    return [check.name for check in verdict.checks if not check.ok]


def test_a_proof_is_consistent_and_with_the_published_key_proven(log: Any) -> None:
    proof = log.prove()
    alone = verify(proof)
    assert alone.ok
    assert (alone.words, alone.signer) == ("consistent, signer not identified", "not identified")
    key = "# keys of the clinic\n\n" + log.signer.verifier.text + "\n"
    known = verify(proof, log.SENT, key)
    assert known.ok
    assert (known.words, known.signer) == ("proven, and the mail is the one of this proof", "identified")
    assert known.recipient == "bo@verified.test"
    assert [m.kind for m in known.timeline] == [
        "message.accepted", "delivery.queued", "delivery.attempted", "delivery.sent",
    ]  # fmt: skip
    sent = known.timeline[-1]
    assert sent.wire is not None
    assert (sent.wire.mx, sent.wire.reply) == ("mx.verified.test", "250 2.0.0 Ok for [recipient]")
    assert any("mx.verified.test accepted the message over TLSv1.3" in words for words in known.proves)


def test_the_verdict_says_what_is_not_proven(log: Any) -> None:
    said = " ".join(verify(log.prove()).proves_not)
    for words in ("inbox", "organisation's word", "/.well-known/carepost-log", "No mail was compared"):
        assert words in said
    full = " ".join(verify(log.prove(), log.SENT, log.signer.verifier.text).proves_not)
    assert "inbox" in full
    assert "organisation's word" in full
    assert "/.well-known/" not in full


def test_the_portal_delivery_names_the_rule_that_allowed_it(log: Any) -> None:
    verdict = verify(log.prove(delivery=log.SECOND), log.SENT)
    assert verdict.ok
    assert verdict.recipient == "cy@x.test"
    assert any("portal-by-mail" in check.words for check in verdict.checks)
    assert [m.kind for m in verdict.timeline][-1] == "portal.opened"


def test_nothing_of_another_recipient_is_in_a_proof(log: Any) -> None:
    """DESIGN 3: each recipient's proof speaks of that recipient alone; nor of who looked, nor of client addresses."""
    first = log.prove()
    inside = json.loads(first)
    everything = (
        first
        + b"".join(base64.b64decode(x) for e in inside["events"] for x in (e["event"],))
        + b"".join(base64.b64decode(o["value"]) for o in inside["openings"])
    )
    for secret in (
        b"cy@x.test",
        b"hidden@x.test",
        log.SECOND.encode(),
        b"203.0.113",
        b"message.viewed",
        b"visit",
        b"Cy <",
    ):
        assert secret not in everything
    assert b"bo@verified.test" in everything
    assert b"bo@verified.test" not in log.prove(delivery=log.SECOND)


def test_a_proof_without_events_of_the_delivery_is_not_made(log: Any) -> None:
    with pytest.raises(file.ProofError):
        log.prove(delivery="018f0000-0000-7000-8000-00000000ffff")


RECEIVED = (
    b"Received: from mx.verified.test by store.verified.test; later\r\n"
    b"ARC-Seal: i=1; a=rsa-sha256;\r\n cv=none\r\nAuthentication-Results: mx; dkim=pass\r\n"
)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw,
        lambda raw: RECEIVED + raw,
        lambda raw: (RECEIVED + raw).replace(b"\r\n", b"\n"),
        lambda raw: b"From someone Sat Nov 21 10:00:00 2026\n" + (RECEIVED + raw).replace(b"\r\n", b"\n"),
        lambda raw: raw.replace(b"Received: from carepost; now\r\n", b"DKIM-Signature: v=1\r\n"),
        lambda raw: raw.replace(b"Subject: Your visit", b"Subject:  Your\r\n\tvisit"),
        lambda raw: raw + b"\r\n\r\n",
        lambda raw: raw.replace(b"at ten.\r\n", b"at ten.  \r\n"),
    ],
)
def test_a_mail_found_in_an_inbox_is_matched(log: Any, change: Callable[[bytes], bytes]) -> None:
    verdict = verify(log.prove(), change(log.SENT))
    assert verdict.ok, verdict.words


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"on Monday at ten", b"on Tuesday at ten", "the text (body)"),
        (b"at ten.", b"at te.", "the text (body)"),
        (b"\r\nAda\r\n", b"\r\nAda\r\nP.S.\r\n", "the text (body)"),
        (b"Subject: Your visit", b"Subject: Your next visit", "the Subject"),
        (b"ada@clinic.test>\r\nTo", b"eve@clinic.test>\r\nTo", "From"),
        (b"bo@verified.test", b"bob@verified.test", "To"),
        (b"10:00:00", b"11:00:00", "Date"),
        (b"<one@", b"<two@", "the Message-ID"),
        (b"Subject:", b"Subject: another\r\nSubject:", "the Subject"),
    ],
)
def test_a_mail_altered_by_one_word_is_not(log: Any, old: bytes, new: bytes, named: str) -> None:
    for mail in (log.SENT, RECEIVED + log.SENT):
        assert old in mail
        verdict = verify(log.prove(), mail.replace(old, new, 1))
        assert wrong(verdict) == ["message"]
        assert named in verdict.words or "its Message-ID is another" in verdict.words


@pytest.mark.parametrize(
    "field", [b"Subject: Come at once", b"From: eve@evil.test", b"TO : eve@evil.test", b"Date: never"]
)
def test_a_field_put_above_the_sent_bytes_is_no_trace_line_of_a_server(log: Any, field: bytes) -> None:
    """Mail programs show the first Subject and the first From."""
    for above in (
        field + b"\r\n",
        RECEIVED + field + b"\r\n",
        field + b"\r\n" + RECEIVED,
        field + b"\r\n\t folded\r\n",
    ):
        assert wrong(verify(log.prove(), above + log.SENT)) == ["message"]


def test_the_sender_can_match_what_was_handed_over(log: Any) -> None:
    verdict = verify(log.prove(), log.SUBMITTED)
    assert verdict.ok
    assert any("handed over" in check.words for check in verdict.checks)
    for nothing in (b"", b" ", b"a", b": b", b"X: y", b"X", b"\r\n", b"X: y\r", b"  \t", b"X:\r\n \r\n  ", b":" * 9000):
        assert wrong(verify(log.prove(), nothing)) == ["message"]


def test_another_key_is_not_the_signer(log: Any, new_log: Callable[..., Any]) -> None:
    other = new_log(seed=bytes(32)).signer.verifier.text
    assert wrong(verify(log.prove(), None, other)) == ["signer"]
    assert "signer" in wrong(verify(log.prove(), None, "not a key"))
    assert "signer" in wrong(verify(log.prove(), None, ""))


def test_an_outside_cosignature_is_named_with_its_time(log: Any) -> None:
    witness = SignerKey("witness.test", bytes(range(1, 33)), note.COSIGNATURE)
    proof = file.read(log.prove())
    text = note.parse(proof.checkpoint.encode()).text
    cosigned = note.add(proof.checkpoint.encode(), witness.line(text, 1_800_000_100)).decode()
    raw = file.encode(replaced(proof, checkpoint=cosigned))
    keys = f"{log.signer.verifier.text}\n{witness.verifier.text}"
    verdict = verify(raw, None, keys)
    assert verdict.ok
    assert any("witness.test at 2027-01-15T" in words for words in verdict.proves)
    # unknown: ignored
    assert verify(raw).ok
    # known and bad: rejected
    bad = note.add(proof.checkpoint.encode(), witness.line("other\n", 1_800_000_100)).decode()
    assert "checkpoint" in wrong(verify(file.encode(replaced(proof, checkpoint=bad)), None, keys))


def replaced(proof: file.ProofFile, **fields: Any) -> file.ProofFile:
    values = {name: getattr(proof, name) for name in proof.__struct_fields__}
    return file.ProofFile(**(values | fields))


def test_a_log_whose_owner_signs_a_forged_event_is_still_caught_by_the_openings(log: Any) -> None:
    """Re-signing helps nobody to change what was committed to: the opening has to fit."""
    proof = file.read(log.prove())
    openings = [
        file.Opening(o.event, o.field, o.salt, file.b64(b"eve@x.test")) if o.field == "recipient" else o
        for o in proof.openings
    ]
    assert wrong(verify(file.encode(replaced(proof, openings=openings)))) == ["openings"]


def test_openings_that_do_not_belong_are_refused(log: Any) -> None:
    proof = file.read(log.prove())
    client = log.openings[event.read(log.events[1]).id]["client"]
    smuggled = file.Opening(event.read(log.events[1]).id, "client", file.b64(client[0]), file.b64(client[1]))
    for openings in (
        [*proof.openings, smuggled],
        [*proof.openings, proof.openings[0]],
        [file.Opening("no such event", o.field, o.salt, o.value) for o in proof.openings[:1]],
        [file.Opening(o.event, o.field, file.b64(b""), o.value) for o in proof.openings],
    ):
        assert "openings" in wrong(verify(file.encode(replaced(proof, openings=openings))))
    assert wrong(verify(file.encode(replaced(proof, openings=[])))) == ["recipient"]


def test_events_of_others_moved_events_and_missing_ones_are_named(log: Any) -> None:
    proof, second = file.read(log.prove()), file.read(log.prove(delivery=log.SECOND))
    cases = [
        [*proof.events, second.events[-1]],
        proof.events[::-1],
        [proof.events[0], *proof.events],
        proof.events[1:],
        proof.events[:1],
        [],
    ]
    for events in cases:
        assert "events" in wrong(verify(file.encode(replaced(proof, events=events))))
    stranger = replaced(proof, org="018f0000-0000-7000-8000-0000000000bb")
    assert {"events", "checkpoint"} <= set(wrong(verify(file.encode(stranger))))


def test_a_leaf_at_another_place_or_with_another_path_is_not_included(log: Any) -> None:
    proof = file.read(log.prove())
    last = proof.events[-1]
    for changed in (
        file.ProvenEvent(last.index + 1, last.event, last.inclusion),
        file.ProvenEvent(last.index, last.event, last.inclusion[:-1]),
        file.ProvenEvent(last.index, last.event, [*last.inclusion[1:], last.inclusion[0]]),
    ):
        assert wrong(verify(file.encode(replaced(proof, events=[*proof.events[:-1], changed])))) == ["inclusion"]


def test_a_checkpoint_of_a_longer_or_another_log_does_not_serve(log: Any, new_log: Callable[..., Any]) -> None:
    proof = file.read(log.prove())
    roots = merkle.root(log.leaves())
    for origin, size, root, expected in (
        (f"carepost/{log.org}", len(log.events) * 100, roots, "inclusion"),
        (f"carepost/{log.org}", len(log.events), bytes(32), "inclusion"),
        ("carepost/other", len(log.events), roots, "checkpoint"),
    ):
        signed = note.sign(Checkpoint(origin, size, root).text, log.signer).decode()
        assert expected in wrong(verify(file.encode(replaced(proof, checkpoint=signed))))
    other = new_log(org="018f0000-0000-7000-8000-0000000000bb")
    assert "checkpoint" in wrong(verify(file.encode(replaced(proof, key=other.signer.verifier.text))))


def test_protection_below_what_was_required_is_no_proof(log: Any) -> None:
    facts = {"required": "VERIFIED", "achieved": "ENCRYPTED"}
    log.add(kinds.DELIVERY_SENT, [log.MESSAGE, log.FIRST], kinds.commit_sent(log.SENT), facts)
    assert wrong(verify(log.prove())) == ["protection"]
    facts = {"required": "VERIFIED", "achieved": "UNHEARD-OF"}
    log.add(kinds.DELIVERY_SENT, [log.MESSAGE, log.FIRST], None, facts)
    assert wrong(verify(log.prove())) == ["protection", "protection"]


def test_an_uncertain_attempt_is_told(log: Any) -> None:
    log.add(kinds.DELIVERY_UNCERTAIN, [log.MESSAGE, log.FIRST], kinds.commit_sent(log.SENT), result="uncertain")
    assert any("a second copy may exist" in words for words in verify(log.prove()).proves)


def test_kinds_of_a_later_version_do_not_break_an_old_verifier(log: Any) -> None:
    log.add("delivery.teleported", [log.MESSAGE, log.FIRST])
    verdict = verify(log.prove())
    assert verdict.ok
    assert verdict.timeline[-1].words == "delivery teleported"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{" * 100_000,
        b"[" * 100_000,
        b" " * (8 * 1024 * 1024 + 1),
        b'{"format":"\\ud800"}',
    ],
)
def test_anything_else_is_no_proof(raw: bytes) -> None:
    assert wrong(verify(raw)) == ["structure"]


def test_a_later_format_is_said_to_be_unknown(log: Any) -> None:
    raw = file.encode(replaced(file.read(log.prove()), format="carepost-proof/2"))
    assert "a format this program does not know" in verify(raw).words


def test_impossible_times_are_told_not_raised(log: Any, new_log: Callable[..., Any]) -> None:
    hostile = new_log()
    for kind, values in (
        (kinds.MESSAGE_ACCEPTED, None),
        (kinds.DELIVERY_QUEUED, kinds.commit_recipient("\x1b[2J")),
        (kinds.DELIVERY_SENT, {"wire": b"not json"}),
    ):
        hostile.add(kind, [log.MESSAGE] if kind == kinds.MESSAGE_ACCEPTED else [log.MESSAGE, log.FIRST], values)
        early = event.read(hostile.events[-1])
        hostile.events[-1] = hostile.events[-1].replace(str(early.at).encode(), b"-%d" % (1 << 62), 1)
    verdict = verify(hostile.prove())
    assert verdict.ok
    assert verdict.timeline[0].at == "an impossible time"
