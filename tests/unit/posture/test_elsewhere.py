"""What one node saw of a destination holds for every node: never again in clear, and every warning (DESIGN 3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance
from carepost.posture import Measured, Posture
from carepost.posture.elsewhere import Elsewhere
from carepost.spool.postgres import schema
from carepost.spool.postgres.sights import sights
from tests.support import spools

pytestmark = pytest.mark.postgres

DOMAIN = "quillfeather.test"
GOOD = Measured(hosts=("mx.quillfeather.test",), tls=Assurance.VERIFIED, starttls=True, mta_sts="none", dane="no")
LOST = Measured(hosts=("mx.quillfeather.test",), tls=Assurance.NONE, starttls=False, mta_sts="none", dane="no")


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    with spools.database(postgres_url) as found:
        with schema.connect(found) as connection:
            for number in (0, 64, 65):
                connection.execute("INSERT INTO shard (number, made_at) VALUES (%s, 0)", (number,))
        yield found


class Engine:
    """One of a node's, as far as it sees destinations."""

    def __init__(self, url: str, folder: Path, keys: PurposeKeys, number: int) -> None:
        self.home = folder / f"node-{number >> 6}"
        shard = self.home / f"shard-{number & 63}"
        shard.mkdir(parents=True, exist_ok=True)
        first = number & 63 == 0
        self.elsewhere = Elsewhere(sights(url), keys, (number, shard), self.home / "elsewhere" if first else None)
        self.posture = Posture.open(shard, keys, [self.home / "elsewhere"])

    def saved(self) -> None:
        """All is on disk."""
        self.posture._keep.flush()  # type: ignore[union-attr]

    def close(self) -> None:
        self.elsewhere.close()
        self.posture.close()


@pytest.fixture
def keys() -> PurposeKeys:
    return PurposeKeys.ephemeral()


def test_a_node_that_never_met_a_destination_knows_it_had_tls(url: str, tmp_path: Path, keys: PurposeKeys) -> None:
    here, there = Engine(url, tmp_path, keys, 0), Engine(url, tmp_path, keys, 64)
    here.posture.record(DOMAIN, GOOD)
    here.saved()
    here.elsewhere.step()
    there.elsewhere.step()
    assert there.posture.starttls_once(DOMAIN) and not there.posture.starttls_once("stranger.test")
    # a warning follows, though the domain is known there by now
    assert here.posture.record(DOMAIN, LOST) == "tls-lost"
    here.saved()
    here.elsewhere.step()
    there.elsewhere.step()
    there.posture.starttls_once("stranger.test")
    there.posture._asked.clear()
    assert there.posture.weakened(DOMAIN) == "tls-lost"
    here.close()
    there.close()


def test_a_node_that_joins_knows_all_before_its_first_message(url: str, tmp_path: Path, keys: PurposeKeys) -> None:
    """More than one round of rows, of both engines of a node, one of them gone since."""
    here, beside = Engine(url, tmp_path, keys, 64), Engine(url, tmp_path, keys, 65)
    for number in range(1_100):
        (here if number % 2 else beside).posture.record(f"d{number}.test", GOOD)
    for engine in (here, beside):
        engine.saved()
        engine.elsewhere.step()
        engine.close()
    joined = Engine(url, tmp_path, keys, 0)
    joined.elsewhere.step()
    assert all(joined.posture.starttls_once(f"d{number}.test") for number in range(1_100))
    joined.close()
    # and after a restart, though nobody is there to ask
    again = Engine(url, tmp_path, keys, 0)
    assert again.posture.starttls_once("d7.test")
    again.close()


def test_a_row_under_other_keys_or_damaged_hinders_nothing(url: str, tmp_path: Path, keys: PurposeKeys) -> None:
    stranger = Engine(url, tmp_path / "other", PurposeKeys.ephemeral(), 65)
    stranger.posture.record(DOMAIN, GOOD)
    stranger.saved()
    stranger.elsewhere.step()
    there, here = Engine(url, tmp_path, keys, 64), Engine(url, tmp_path, keys, 0)
    there.posture.record("fernhollow.test", GOOD)
    there.posture.record("damaged.test", GOOD)
    there.saved()
    there.elsewhere.step()
    with schema.connect(url) as connection:
        connection.execute("UPDATE seen SET sealed = '\\x00' WHERE changed = (SELECT max(changed) FROM seen)")
    here.elsewhere.step()
    assert here.posture.starttls_once("fernhollow.test")
    assert not here.posture.starttls_once(DOMAIN) and not here.posture.starttls_once("damaged.test")
    for engine in (stranger, there, here):
        engine.close()


def test_no_domain_stands_in_what_nodes_share(url: str, tmp_path: Path, keys: PurposeKeys) -> None:
    """HS-34, law 9: which domains a clinic writes to is personal."""
    here = Engine(url, tmp_path, keys, 0)
    here.posture.record(DOMAIN, GOOD)
    here.saved()
    here.elsewhere.step()
    with schema.connect(url) as connection:
        (row,) = connection.execute("SELECT token, sealed FROM seen").fetchall()
    assert b"quillfeather" not in bytes(row[0]) + bytes(row[1])
    here.close()
