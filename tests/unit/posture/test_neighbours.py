"""What one engine saw of a destination holds for every engine of the home (DESIGN 3): never clear text after TLS."""

from pathlib import Path

import pytest

from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance, Ternary
from carepost.posture import Measured, Posture, Record, StoredPolicy, judge
from carepost.posture.store import Store

pytestmark = pytest.mark.fast


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"shard-{n:04d}" for n in range(2)]
    for folder in made:
        folder.mkdir()
    return made


def _pair(folders: list[Path]) -> tuple[Posture, Store, Posture]:
    keys = PurposeKeys.ephemeral()
    store = Store(folders[0] / "posture.db", keys)
    return Posture(store), store, Posture.open(folders[1], keys, [folders[0]])


def test_starttls_seen_by_one_engine_forbids_clear_text_to_the_other(folders: list[Path]) -> None:
    first, store, second = _pair(folders)
    # asked before anything was seen, so that an old answer would be remembered
    assert not second.starttls_once("there.test")
    first.record("there.test", Measured(hosts=("mx.there.test",), tls=Assurance.ENCRYPTED, starttls=True))
    store.flush()
    assert second.starttls_once("there.test")
    assert second.seen("there.test").starttls is Ternary.YES
    first.close()
    second.close()


def test_a_destination_weakened_for_one_engine_is_weakened_for_the_other(folders: list[Path]) -> None:
    first, store, second = _pair(folders)
    first.record("there.test", Measured(tls=Assurance.VERIFIED, starttls=True))
    first.record("there.test", Measured(tls=Assurance.NONE, starttls=False))
    store.flush()
    before = second.version
    assert second.seen("there.test").weakened
    # plans remembered for that domain must be made again
    assert second.version > before
    first.close()
    second.close()


def test_an_engine_alone_asks_nobody(tmp_path: Path) -> None:
    alone = Posture.open(tmp_path, PurposeKeys.ephemeral(), [tmp_path / "not-there"])
    assert not alone.starttls_once("there.test")
    alone.close()


def test_merging_takes_every_warning_and_the_newer_measurement() -> None:
    policy = StoredPolicy("new", b"version: STSv1", 7, 9)
    own = Record("there.test", tls=Assurance.VERIFIED, tls_at=10, mta_sts="none", dane="no")
    other = Record(
        "there.test",
        starttls_at=5,
        lost_at=6,
        tls=Assurance.NONE,
        tls_at=20,
        mta_sts="enforce",
        dane="yes",
        policy=policy,
    )
    merged = judge.merge(own, [other])
    assert (merged.starttls_at, merged.lost_at, merged.tls) == (5, 6, Assurance.NONE)
    assert (merged.mta_sts, merged.dane, merged.policy) == ("enforce", "yes", policy)
    # the other way round it is the same
    assert judge.merge(other, [own]) == merged
