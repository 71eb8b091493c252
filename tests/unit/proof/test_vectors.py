"""The committed vectors: our verifier, a second one written from docs/proof-format.md alone, and every flipped byte."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.signing
import pytest

from carepost.proof.verify import verify

VECTORS = Path(__file__).parents[2] / "vectors" / "proof"
PROOFS = ("tls.proof", "portal.proof", "cosigned.proof")


def load(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def stranger(raw: bytes, key_line: str) -> list[dict[str, Any]]:
    """A verifier by another hand: standard library and PyNaCl. Returns the events; raises when it does not hold."""
    proof = json.loads(raw)
    assert proof["format"] == "carepost-proof/1"
    assert proof["key"] == key_line
    name, hash_hex, encoded = key_line.split("+", 2)
    typed = base64.b64decode(encoded)
    assert typed[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + typed).hexdigest()[:8] == hash_hex
    text, _, signatures = proof["checkpoint"].rpartition("\n\n")
    text += "\n"
    blobs = [base64.b64decode(line.split(" ")[2]) for line in signatures.splitlines() if line.split(" ")[1] == name]
    signature = next(blob[4:] for blob in blobs if blob[:4].hex() == hash_hex)
    nacl.signing.VerifyKey(typed[1:]).verify(text.encode(), signature)
    origin, size_text, root_text = text.splitlines()
    assert origin == name == "carepost/" + proof["org"]
    size, root = int(size_text), base64.b64decode(root_text)
    events = []
    for item in proof["events"]:
        leaf = base64.b64decode(item["event"])
        done = hashlib.sha256(b"\0" + leaf).digest()
        path = [base64.b64decode(h) for h in item["inclusion"]]
        assert climb(done, item["index"], size, path) == root
        events.append(json.loads(leaf))
    for opening in proof["openings"]:
        event = next(e for e in events if e["id"] == opening["event"])
        salted = base64.b64decode(opening["salt"]) + base64.b64decode(opening["value"])
        assert event["commit"][opening["field"]] == hashlib.sha256(salted).hexdigest()
        event.setdefault("opened", {})[opening["field"]] = base64.b64decode(opening["value"])
    return events


def climb(done: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 6962 2.1.1, recursively from the top."""
    if size == 1:
        assert not path
        return done
    half = 1 << ((size - 1).bit_length() - 1)
    if index < half:
        return hashlib.sha256(b"\1" + climb(done, index, half, path[:-1]) + path[-1]).digest()
    return hashlib.sha256(b"\1" + path[-1] + climb(done, index - half, size - half, path[:-1])).digest()


def key_line() -> str:
    return next(line for line in load("log.key").decode().splitlines() if not line.startswith("#"))


@pytest.mark.fast
@pytest.mark.parametrize("name", PROOFS)
def test_the_vectors_hold_for_both_verifiers(name: str) -> None:
    assert verify(load(name), None, load("log.key").decode()).words == "proven"
    events = stranger(load(name), key_line())
    recipient = "cy@x.test" if name == "portal.proof" else "bo@verified.test"
    assert [e["opened"]["recipient"] for e in events if "recipient" in e.get("opened", {})] == [recipient.encode()]


@pytest.mark.fast
def test_the_received_mail_matches_and_the_altered_does_not() -> None:
    key = load("log.key").decode()
    for name in PROOFS:
        assert verify(load(name), load("received.eml"), key).ok
        assert verify(load(name), load("submitted.eml"), key).ok
        altered = verify(load(name), load("altered.eml"), key)
        assert [check.name for check in altered.checks if not check.ok] == ["message"]
        assert "the text (body)" in altered.words


@pytest.mark.fast
def test_the_cosignature_of_the_vector_is_read() -> None:
    verdict = verify(load("cosigned.proof"), None, load("witness.key").decode())
    assert verdict.ok
    assert any("witness.test/one at 2027-01-15T08:01:40" in words for words in verdict.proves)


@pytest.mark.fast
def test_the_digest_of_the_sent_bytes_is_that_of_the_received_mail_below_its_new_lines() -> None:
    events = stranger(load("tls.proof"), key_line())
    sent = next(e for e in events if e["kind"] == "delivery.sent")["opened"]["sent"]
    received = load("received.eml")
    assert hashlib.sha256(received[received.index(b"Received: from carepost") :]).digest() == sent


@pytest.mark.parametrize("name", PROOFS)
def test_every_flipped_byte_of_a_vector_is_caught(name: str) -> None:
    """HS-36: no byte of a proof file can be changed without notice. A cosignature whose name or key hash is changed is
    one by an unknown key, which C2SP has us ignore: then it must no longer be counted."""
    raw, key = load(name), load("witness.key").decode()
    whole = verify(raw, None, key)
    assert whole.ok
    for position in range(len(raw)):
        for bit in (0x01, 0x20):
            broken = bytearray(raw)
            broken[position] ^= bit
            verdict = verify(bytes(broken), None, key)
            uncounted = name == "cosigned.proof" and verdict.proves == verify(load("tls.proof"), None, key).proves
            assert not verdict.ok or (uncounted and verdict.proves != whole.proves), (position, bit)


@pytest.mark.parametrize("name", PROOFS)
def test_every_cut_of_a_vector_is_caught(name: str) -> None:
    raw = load(name)
    for end in range(len(raw)):
        assert not verify(raw[:end]).ok
    assert not verify(raw + b"\n").ok


def test_every_flipped_byte_of_an_introduction_is_caught() -> None:
    """HS-36: what leads from the earlier key to the later one cannot be changed either."""
    raw, key = load("changed.proof"), load("log.key").decode()
    assert verify(raw, None, key).ok
    for position in range(raw.index(b'"introductions"'), len(raw)):
        broken = bytearray(raw)
        broken[position] ^= 0x01 if position % 2 else 0x20
        assert not verify(bytes(broken), None, key).ok, position
    cut = raw[: raw.index(b'"introductions"')].rstrip().removesuffix(b",") + b"\n}\n"
    assert not verify(cut, None, key).ok
    assert not verify(cut.replace(b"proof/2", b"proof/1"), None, key).ok
    assert verify(cut.replace(b"proof/2", b"proof/1"), None, load("changed.key").decode()).ok


@pytest.mark.fast
def test_a_key_that_changed_is_followed_by_both_verifiers() -> None:
    """The page alone says of retired.proof what is wrong with it."""
    raw = load("changed.proof")
    for name in ("log.key", "changed.key"):
        verdict = verify(raw, load("received.eml"), load(name).decode())
        assert (verdict.ok, verdict.signer) == (True, "identified")
    proof = json.loads(raw)
    old = key_line()
    (step,) = proof["introductions"]
    leaf = base64.b64decode(step["event"])
    origin, size_text, root_text = step["checkpoint"].rpartition("\n\n")[0].splitlines()
    name, hash_hex, encoded = old.split("+", 2)
    signature = base64.b64decode(step["checkpoint"].splitlines()[-1].split(" ")[2])
    assert signature[:4].hex() == hash_hex
    text = f"{origin}\n{size_text}\n{root_text}\n".encode()
    nacl.signing.VerifyKey(base64.b64decode(encoded)[1:]).verify(text, signature[4:])
    size, root = int(size_text), base64.b64decode(root_text)
    path = [base64.b64decode(node) for node in step["inclusion"]]
    assert climb(hashlib.sha256(b"\0" + leaf).digest(), size - 1, size, path) == root
    facts = json.loads(leaf)["facts"]
    assert (facts["log-key-before"], facts["log-key"]) == (old, proof["key"])
    stranger(raw.replace(b"proof/2", b"proof/1"), proof["key"])
    retired = load("retired.proof")
    assert verify(retired, None, load("log.key").decode()).ok
    assert "retired at 11 events" in verify(retired, None, load("changed.key").decode()).words


@pytest.mark.fast
def test_the_second_verifier_can_fail() -> None:
    raw = load("tls.proof")
    key = key_line()
    with pytest.raises((nacl.exceptions.BadSignatureError, AssertionError, ValueError)):
        stranger(raw.replace(b"n10", b"n11"), key)
    with pytest.raises((nacl.exceptions.BadSignatureError, AssertionError)):
        stranger(raw, load("witness.key").decode().splitlines()[1])


@pytest.mark.fast
def test_the_paper_names_the_vectors_as_they_are() -> None:
    paper = (Path(__file__).parents[3] / "docs" / "proof-format.md").read_text()
    rows = [line.split("`") for line in paper.splitlines() if line.startswith("| `") and len(line.split("`")[3:4]) == 1]
    stated = {row[1]: row[3] for row in rows if len(row[3]) == 64}
    assert stated == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VECTORS.iterdir() if path.suffix
    }
