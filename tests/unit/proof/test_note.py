"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)."""

import base64

import pytest

from carepost.proof import note
from carepost.proof.note import COSIGNATURE, Checkpoint, NoteError, SignerKey, VerifierKey

pytestmark = pytest.mark.fast

#: the published example of the Go reference implementation
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT
    + "\n\u2014 PeterNeumann "
    + "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
KEY = VerifierKey.parse(VKEY)
OTHER = SignerKey("other", bytes(range(32)))


def test_the_published_note_opens_and_is_made_again() -> None:
    assert KEY.text == VKEY
    opened = note.open_(NOTE, [KEY])
    assert (opened.text, opened.verified, opened.unknown) == (TEXT, ((KEY, 0),), 0)
    assert note.sign(TEXT, SignerKey("PeterNeumann", SEED)) == NOTE


def test_every_flipped_byte_of_a_note_is_seen() -> None:
    for position in range(len(NOTE)):
        broken = bytearray(NOTE)
        broken[position] ^= 1
        try:
            opened = note.open_(bytes(broken), [KEY])
        except NoteError:
            continue
        # a flip in the name or the key hash makes the signature an unknown one
        assert opened.verified == ()


def test_unknown_signatures_are_ignored_and_known_bad_ones_reject() -> None:
    both = note.add(NOTE, OTHER.line(TEXT))
    assert note.open_(both, [KEY]).unknown == 1
    assert len(note.open_(both, [KEY, OTHER.verifier]).verified) == 2
    forged = note.add(NOTE, OTHER.line("another text\n"))
    assert note.open_(forged, [KEY]).unknown == 1
    with pytest.raises(NoteError):
        note.open_(forged, [KEY, OTHER.verifier])


def test_a_signature_by_another_key_of_the_same_name_is_unknown() -> None:
    impostor = SignerKey("PeterNeumann", bytes(range(32)))
    opened = note.open_(note.sign(TEXT, impostor), [KEY])
    assert (opened.verified, opened.unknown) == ((), 1)


def test_a_witness_signs_with_its_time() -> None:
    witness = SignerKey("witness.test/w", bytes(range(1, 33)), COSIGNATURE)
    cosigned = note.add(NOTE, witness.line(TEXT, at=1_700_000_000))
    opened = note.open_(cosigned, [KEY, witness.verifier])
    assert opened.verified == ((KEY, 0), (witness.verifier, 1_700_000_000))
    # the same key as a plain Ed25519 key is another key
    assert VerifierKey(witness.verifier.name, witness.verifier.public).hash != witness.verifier.hash
    moved = cosigned.decode().replace(witness.line(TEXT, 1_700_000_000), "") + witness.line("x\n", 1_700_000_000)
    with pytest.raises(NoteError):
        note.open_(moved.encode(), [witness.verifier])


SIGNATURE = NOTE.decode().split("\n\n")[1]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        TEXT.encode(),
        (TEXT + SIGNATURE).encode(),
        (TEXT[:-1] + "\n\n" + SIGNATURE[:-1]).encode(),
        (TEXT + "\n").encode(),
        (TEXT + "\n" + SIGNATURE.replace("\u2014", "-")).encode(),
        (TEXT + "\n" + SIGNATURE.replace("PeterNeumann", "Peter+Neumann")).encode(),
        (TEXT + "\n" + SIGNATURE.replace("PeterNeumann", "Peter\u00a0Neumann")).encode(),
        (TEXT + "\n" + SIGNATURE.replace("PeterNeumann ", "")).encode(),
        (TEXT + "\n" + SIGNATURE.replace("x08g", "x0!8")).encode(),
        (TEXT + "\n\u2014 PeterNeumann AAAA\n").encode(),
        (TEXT + "\n" + SIGNATURE + "junk\n").encode(),
        (TEXT + "\n" + SIGNATURE * 65).encode(),
        ("a\tb\n\n" + SIGNATURE).encode(),
        ("a\rb\n\n" + SIGNATURE).encode(),
        b"\xff\n\n" + SIGNATURE.encode(),
        b"x" * 70_000 + b"\n\n" + SIGNATURE.encode(),
    ],
)
def test_malformed_notes_are_refused(raw: bytes) -> None:
    with pytest.raises(NoteError):
        note.parse(raw)


def test_only_the_last_empty_line_ends_the_text() -> None:
    text = "one\n\ntwo\n"
    signed = note.sign(text, OTHER)
    assert note.open_(signed, [OTHER.verifier]).text == text


@pytest.mark.parametrize("cut", range(len(VKEY)))
def test_a_verifier_key_copied_badly_is_refused(cut: int) -> None:
    for broken in (VKEY[:cut], VKEY[:cut] + chr(ord(VKEY[cut]) ^ 1) + VKEY[cut + 1 :]):
        with pytest.raises(NoteError):
            VerifierKey.parse(broken)


def test_a_checkpoint_is_read_as_written() -> None:
    point = Checkpoint("carepost/x", 12, bytes(range(32)))
    assert Checkpoint.parse(point.text) == point
    assert point.text == "carepost/x\n12\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    more = Checkpoint("carepost/x", 0, bytes(32), ("ext 1", "ext 2"))
    assert Checkpoint.parse(more.text) == more


@pytest.mark.parametrize(
    "text",
    ["", "o\n1\n", "o\n01\n{r}\n", "o\n-1\n{r}\n", "o\n+1\n{r}\n", "o\n\u0661\n{r}\n",
     "o\n1\nAAAA\n", "\n1\n{r}\n", "o\n1\n{r}",
     "o\n1\n{r}\n\next\n",
     "o\n1\n{r}=\n", "o\n" + "9" * 30 + "\n{r}\n"],
)  # fmt: skip
def test_texts_that_are_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text.replace("{r}", base64.b64encode(bytes(32)).decode()))


def test_names_that_no_key_may_have() -> None:
    for name in ("", "a b", "a+b", "a\u2003b"):
        with pytest.raises(NoteError):
            SignerKey(name, bytes(32))
