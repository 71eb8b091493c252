"""Proof files, notes and mails from strangers: any bytes get a verdict, never a failure, and never a wrong yes."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto import dkim
from carepost.proof import note
from carepost.proof.commitments import mail_value, submitted_digest
from carepost.proof.match import normal
from carepost.proof.verify import verify

VECTORS = Path(__file__).parents[1] / "vectors" / "proof"
PROOF = (VECTORS / "tls.proof").read_bytes()
RECEIVED = (VECTORS / "received.eml").read_bytes()
KEY = (VECTORS / "log.key").read_text()

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda x: st.lists(x, max_size=3), max_leaves=5
)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=400), message=st.none() | st.binary(max_size=200), key=st.none() | st.text(max_size=80))
def test_any_bytes_get_a_verdict(raw: bytes, message: bytes | None, key: str | None) -> None:
    assert not verify(raw, message, key).ok


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(PROOF)), cut=st.integers(0, 40), put=st.binary(max_size=40))
def test_no_splice_of_a_proof_passes(at: int, cut: int, put: bytes) -> None:
    spliced = PROOF[:at] + put + PROOF[at + cut :]
    assert verify(spliced, None, KEY).ok is (spliced == PROOF)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_member_of_a_proof_can_be_another_value(data: st.DataObject) -> None:
    proof = json.loads(PROOF)
    place = proof
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[key], dict | list) or not place[key]:
            break
        place = place[key]
    was, place[key] = place[key], data.draw(_json)
    raw = json.dumps(proof, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    assert verify(raw, None, KEY).ok is (place[key] == was and type(place[key]) is type(was))


@settings(max_examples=300, deadline=None)
@given(
    mail=st.binary(max_size=300),
    header=st.lists(st.sampled_from([b"Subject: x", b"Message-ID:", b" fold", b":", b"Bcc: q", b"\r", b""])),
)
def test_any_mail_is_compared(mail: bytes, header: list[bytes]) -> None:
    raw = b"\r\n".join(header) + b"\r\n\r\n" + mail
    assert not verify(PROOF, raw).ok
    for text in (mail, raw, normal(raw)):
        assert len(mail_value(text).split(b"\n")) == 6
        assert len(submitted_digest(text)) == len(dkim.body_hash_relaxed(text)) == 32


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(RECEIVED)), cut=st.integers(0, 20), put=st.binary(max_size=20))
def test_no_change_of_the_words_of_a_mail_passes(at: int, cut: int, put: bytes) -> None:
    changed = RECEIVED[:at] + put + RECEIVED[at + cut :]
    fits = verify(PROOF, changed).ok
    same = mail_value(normal(changed)) == mail_value(RECEIVED)
    assert fits is same


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary(max_size=300)
    | st.text(max_size=200).map(lambda t: f"{t}\n\n\u2014 a AAAAAAA=\n".encode("utf-8", "replace"))
)
def test_any_bytes_as_a_note(raw: bytes) -> None:
    try:
        found = note.parse(raw)
    except note.NoteError:
        return
    assert found.text.endswith("\n")
    assert found.signatures
