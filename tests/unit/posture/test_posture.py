"""Posture is kept on disk, without a domain's name in any byte of it, and read again by the next process."""

from pathlib import Path

import pytest

from carepost.ground import clock
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.policy.types import Assurance, Seen
from carepost.posture import Measured, Posture, StoredPolicy
from carepost.posture.store import Store

DOMAIN = "quillfeather.test"
GOOD = Measured(hosts=("mx.quillfeather.test",), tls=Assurance.VERIFIED, starttls=True, mta_sts="none", dane="no")


def test_what_was_seen_survives_the_process(tmp_path: Path) -> None:
    keys = PurposeKeys.ephemeral()
    first = Posture.open(tmp_path, keys)
    first.record(DOMAIN, GOOD)
    first.keep_policy(DOMAIN, StoredPolicy("1", b"version: STSv1\n", 1, clock.now() + 1_000_000_000))
    first.close()
    again = Posture.open(tmp_path, keys)
    assert again.seen(DOMAIN).tls is Assurance.VERIFIED
    assert again.starttls_once(DOMAIN)
    assert again.policy(DOMAIN) is not None
    assert again.seen("stranger.test") == Seen()
    again.close()


def test_no_domain_stands_in_any_byte_of_the_file(tmp_path: Path) -> None:
    """HS-34, law 9: which domains a clinic writes to is personal."""
    posture = Posture.open(tmp_path, PurposeKeys.ephemeral())
    posture.record(DOMAIN, GOOD)
    posture.close()
    for file in tmp_path.iterdir():
        assert b"quillfeather" not in file.read_bytes().lower(), file.name


def test_another_keyring_finds_nothing(tmp_path: Path) -> None:
    first = Posture.open(tmp_path, PurposeKeys.ephemeral())
    first.record(DOMAIN, GOOD)
    first.close()
    stranger = Posture.open(tmp_path, PurposeKeys.ephemeral())
    assert stranger.seen(DOMAIN) == Seen()
    stranger.close()


def test_a_rotated_keyring_still_finds_everything(tmp_path: Path) -> None:
    keyring = MasterKeyring.create(tmp_path / "keyring.json")
    old = keyring.purposes("evidence", "index")
    first = Posture.open(tmp_path, old)
    first.record(DOMAIN, GOOD)
    first.close()
    rotated = MasterKeyring(tmp_path / "keyring.json", {1: keyring._keys[1], 2: b"n" * 32}, 2).purposes(
        "evidence", "index"
    )
    again = Posture.open(tmp_path, rotated)
    assert again.seen(DOMAIN).tls is Assurance.VERIFIED
    again.close()


def test_version_moves_only_when_an_answer_may_differ() -> None:
    posture = Posture()
    before = posture.version
    posture.record(DOMAIN, GOOD)
    moved = posture.version
    assert moved != before
    posture.record(DOMAIN, GOOD)
    assert posture.version == moved


def test_weakening_is_said_once() -> None:
    posture = Posture()
    posture.record(DOMAIN, GOOD)
    lost = Measured(tls=Assurance.NONE, starttls=False)
    assert posture.record(DOMAIN, lost) == "tls-lost"
    assert posture.record(DOMAIN, lost) == ""
    assert posture.weakened(DOMAIN) == "tls-lost"
    assert posture.seen(DOMAIN).weakened


def test_a_row_that_was_altered_is_a_domain_never_seen(tmp_path: Path) -> None:
    """Never more trust from damaged bytes."""
    keys = PurposeKeys.ephemeral()
    posture = Posture.open(tmp_path, keys)
    posture.record(DOMAIN, GOOD)
    posture.close()
    store = Store(tmp_path / "posture.db", keys)
    store._db.execute("UPDATE seen SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'01' AS BLOB)")
    assert store.load(DOMAIN) is None
    store.close()


@pytest.mark.fast
def test_a_domain_that_was_forgotten_in_memory_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carepost.posture.book.REMEMBERED", 2)
    posture = Posture.open(tmp_path, PurposeKeys.ephemeral())
    for number in range(5):
        posture.record(f"d{number}.test", GOOD)
    keep = posture._keep
    assert isinstance(keep, Store)
    keep.flush()
    assert posture.seen("d0.test").tls is Assurance.VERIFIED
    posture.close()
