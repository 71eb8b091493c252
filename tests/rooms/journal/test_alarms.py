"""The house itself needs somebody: told by letter, once a day, after it lasted, and to whom it concerns."""

import datetime
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carepost.archive import health
from carepost.archive.health import JournalState, SourceState
from carepost.archive.marks import Marks
from carepost.ground import home as homes
from carepost.ground.config import Config
from carepost.ground.errors import Unavailable
from carepost.journal.alarms import DAY_US, MINUTE_US, Alarms
from carepost.journal.rewrapping import PUT_BACK
from carepost.tenancy.actions import organisations
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.doors import HealthAnswer
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])
NOON = 1_795_262_400_000_000
OPERATOR = "operator@maple.test"


class HouseDoor(KeptDoor):
    def __init__(self, shards: int) -> None:
        super().__init__()
        self.shards = {str(number): {"oldest_s": 0} for number in range(shards)}
        self.engine = {"delivery-sent": 0, "delivery-deferred": 0}

    def health(self) -> list[HealthAnswer]:
        return [HealthAnswer(dict(self.shards), dict(self.engine))]

    @property
    def letters(self) -> list[str]:
        return self.mails(OPERATOR)


class Watched:
    def __init__(self, folder: Path, outbox: Outbox, config: Config) -> None:
        self.home = homes.create(folder / "home", sandbox=True)
        (self.home.run / health.NAME).parent.mkdir(exist_ok=True)
        self.door = HouseDoor(self.home.shards)
        self.now = NOON
        self._outbox, self._config = outbox, config
        self.alarms = self.again()

    def again(self) -> Alarms:
        """As after a restart of the journal."""
        self.alarms = Alarms(self.home, self._config, Marks(self._outbox.store), self.door)
        return self.alarms

    def minutes(self, number: int) -> int:
        """How many letters in so many minutes, each looked at."""
        sent = 0
        for _ in range(number):
            self.now += MINUTE_US
            sent += self.alarms.step(self.now)
        return sent

    def journal(self, state: JournalState) -> None:
        (self.home.run / health.NAME).write_bytes(msgspec.json.encode(state))


@pytest.fixture
def watched(tmp_path: Path, cast: Any, outbox: Outbox) -> Watched:
    return Watched(tmp_path, outbox, Config(alarms=OPERATOR, min_free=1))


def test_a_quiet_house_writes_to_nobody(watched: Watched) -> None:
    assert watched.minutes(30) == 0


def test_what_lasts_is_told_once_a_day_and_again_the_next(watched: Watched) -> None:
    watched.door.shards["0"]["oldest_s"] = 4000
    assert watched.minutes(5) == 0, "it may go away by itself"
    assert watched.minutes(1) == 1
    assert "the oldest for 66 minutes" in watched.door.letters[0]
    assert watched.minutes(60) == 0
    # a restart forgets how long it lasts, not that it was told
    watched.again()
    assert watched.minutes(60) == 0
    watched.now += DAY_US
    assert watched.minutes(10) == 1


def test_what_goes_away_is_not_told(watched: Watched) -> None:
    for _ in range(5):
        watched.door.shards["0"]["oldest_s"] = 4000
        assert watched.minutes(4) == 0
        watched.door.shards["0"]["oldest_s"] = 0
        assert watched.minutes(1) == 0


def test_a_shard_without_an_engine_and_a_log_that_is_behind(watched: Watched) -> None:
    del watched.door.shards["0"]
    late = SourceState(head=900, taken=1, since=watched.now - 10 * MINUTE_US)
    watched.journal(JournalState(at=watched.now, sources={"shard-1": late}))
    assert watched.minutes(8) == 1
    assert "1 shards of the spool have no engine" in watched.door.letters[0]
    assert "behind; at 600 s nothing more is accepted" in watched.door.letters[0]


def test_a_nodes_clock_that_is_not_the_databases(watched: Watched) -> None:
    watched.door.engine["clock_off_s"] = -9
    assert watched.minutes(30) == 0
    watched.door.engine["clock_off_s"] = -600
    assert watched.minutes(4) == 0, "it may be set right by itself"
    assert watched.minutes(60) == 1
    assert "This machine's clock is 600 s behind PostgreSQL's." in watched.door.letters[0]


def test_a_log_that_refuses_is_told_at_once(watched: Watched) -> None:
    refused = SourceState(head=2, taken=1, refused="audit-gap")
    watched.journal(JournalState(at=watched.now, sources={"shard-1": refused}))
    assert watched.minutes(1) == 1
    assert "carepost audit verify" in watched.door.letters[0]


def test_bi_079_keys_put_back_from_before_a_rotation_are_told_at_once(watched: Watched, outbox: Outbox) -> None:
    Marks(outbox.store).put(PUT_BACK, 2)
    assert watched.minutes(30) == 1
    assert "2 keys stand under a former master key" in watched.door.letters[0]


def test_a_spike_of_deferrals_but_not_an_engine_that_began_anew(watched: Watched) -> None:
    watched.door.engine = {"delivery-sent": 900, "delivery-deferred": 400}
    assert watched.minutes(1) == 0, "what was before is no spike"
    watched.door.engine = {"delivery-sent": 10, "delivery-deferred": 0}
    assert watched.minutes(10) == 0
    watched.door.engine = {"delivery-sent": 100, "delivery-deferred": 60}
    assert watched.minutes(7) == 1
    assert "60 of 150 attempts" in watched.door.letters[0]


def test_a_certificate_that_ends_is_named(watched: Watched) -> None:
    made = datetime.datetime.fromtimestamp(NOON / 1e6, datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.maple.test")])
    begins, ends = made - datetime.timedelta(days=80), made + datetime.timedelta(days=9, hours=1)
    leaf = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(begins).not_valid_after(ends).sign(key, hashes.SHA256())
    )  # fmt: skip
    watched.home.tls.mkdir(exist_ok=True)
    (watched.home.tls / "mail.maple.test.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    (watched.home.tls / "mail.maple.test.key").write_bytes(b"is there")
    (watched.home.tls / "broken.pem").write_bytes(b"not one")
    (watched.home.tls / "broken.key").write_bytes(b"is there")
    assert watched.minutes(1) == 1
    assert "mail.maple.test ends in 9 days" in watched.door.letters[0]


def test_a_disk_that_fills(tmp_path: Path, cast: Any, outbox: Outbox) -> None:
    free = shutil.disk_usage(tmp_path).free
    watched = Watched(tmp_path, outbox, Config(alarms=OPERATOR, min_free=free * 2))
    assert watched.minutes(1) == 1
    assert "nothing more is accepted" in watched.door.letters[0]


def test_a_closed_door_loses_no_alarm(watched: Watched) -> None:
    watched.journal(JournalState(at=watched.now, sources={"s": SourceState(head=2, taken=1, refused="audit-gap")}))
    watched.door.closed = True
    with pytest.raises(Unavailable):
        watched.minutes(1)
    watched.door.closed = False
    assert watched.minutes(1) == 1


def test_without_an_address_the_only_organisation_is_told_and_of_several_none(
    tmp_path: Path, cast: Any, outbox: Outbox
) -> None:
    """Another organisation's people learn nothing of a house they share."""
    watched = Watched(tmp_path, outbox, Config(min_free=1))
    organisations.change_settings(UUID(bytes=cast.maple), actor=BOOTSTRAP, reason="told", alerts=OPERATOR)
    organisations.change_settings(UUID(bytes=cast.harbour), actor=BOOTSTRAP, reason="told", alerts=OPERATOR)
    watched.door.shards["0"]["oldest_s"] = 4000
    assert watched.minutes(10) == 0 and not watched.door.letters
