"""The directory: answers from memory, follows the epoch, and says Unavailable rather than something old."""

import threading

import msgspec
import pytest

from carepost.directory import Directory, Loaded, StaticSource
from carepost.directory.types import ApiKey, Credential, OrgSnapshot, SenderDomain
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.policy.types import Assurance

pytestmark = pytest.mark.fast

CLINIC, HARBOUR = ids.new(), ids.new()


def organisation(org: bytes, *, epoch: int = 1, domains: tuple[str, ...] = ()) -> OrgSnapshot:
    return OrgSnapshot(
        id=org, name="Clinic", epoch=epoch, policy_version="1-aa", notice_name="Clinic", phone="", auditor="",
        portal_url="", portal_address="", floor=Assurance.VERIFIED, patience=14_400, rules=(),
        domains=tuple(SenderDomain(d) for d in domains), routes=(), keys={},
    )  # fmt: skip


def clinic(epoch: int = 1, **changes: object) -> Loaded:
    loaded = Loaded(
        organisation(CLINIC, epoch=epoch, domains=("clinic.test",)),
        (Credential("c1", CLINIC, "clinic-ehr", "verifier"),),
        (ApiKey("k1", CLINIC, b"hash", ("send",)),),
    )
    return msgspec.structs.replace(loaded, **changes)


def test_answers_what_the_source_held_when_it_started() -> None:
    directory = Directory(StaticSource([clinic(), Loaded(organisation(HARBOUR, domains=("harbour.test",)))]))
    directory.start()
    try:
        assert directory.snapshot(CLINIC).name == "Clinic"
        assert directory.domain_owner("clinic.test") == CLINIC
        assert directory.domain_owner("harbour.test") == HARBOUR
        assert directory.domain_owner("elsewhere.test") is None
        found = directory.credential("clinic-ehr")
        assert found is not None
        assert found.org == CLINIC
        key = directory.api_key("k1")
        assert key is not None
        assert key.scopes == ("send",)
        assert directory.epoch(CLINIC) == 1
    finally:
        directory.stop()


def test_an_unknown_organisation_is_not_found_and_has_epoch_zero() -> None:
    directory = Directory(StaticSource([clinic()]))
    directory.poll()
    with pytest.raises(NotFound):
        directory.snapshot(HARBOUR)
    assert directory.epoch(HARBOUR) == 0


def test_a_revocation_holds_as_soon_as_the_epoch_was_seen() -> None:
    source = StaticSource([clinic()])
    directory = Directory(source)
    directory.poll()
    source.put(clinic(epoch=2, credentials=(), api_keys=()))
    assert directory.credential("clinic-ehr") is not None
    assert directory.poll()
    assert directory.credential("clinic-ehr") is None
    assert directory.api_key("k1") is None
    assert directory.epoch(CLINIC) == 2


def test_an_unchanged_epoch_reads_nothing_again() -> None:
    source = StaticSource([clinic()])
    directory = Directory(source)
    directory.poll()
    before = directory.snapshot(CLINIC)
    assert not directory.poll()
    assert directory.snapshot(CLINIC) is before


def test_a_closed_organisation_is_forgotten_with_its_domains() -> None:
    source = StaticSource([clinic()])
    directory = Directory(source)
    directory.poll()
    source.drop(CLINIC)
    directory.poll()
    assert directory.domain_owner("clinic.test") is None
    with pytest.raises(NotFound):
        directory.snapshot(CLINIC)


class Breaking(StaticSource):
    """Stops being readable when told to, as a database that is gone."""

    broken = False
    broken_for: bytes | None = None

    def epochs(self) -> dict[bytes, int]:
        if self.broken:
            raise OSError("the database is gone")
        return super().epochs()

    def load(self, org: bytes) -> Loaded:
        if org == self.broken_for:
            raise OSError("damaged row")
        return super().load(org)


def test_never_read_is_unavailable_not_empty() -> None:
    source = Breaking([clinic()])
    source.broken = True
    directory = Directory(source)
    directory.start()
    try:
        for ask in (lambda: directory.credential("x"), lambda: directory.domain_owner("x"), directory.fresh):
            with pytest.raises(Unavailable):
                ask()
    finally:
        directory.stop()


def test_unreadable_for_longer_than_allowed_is_unavailable_and_heals() -> None:
    source = Breaking([clinic()])
    directory = Directory(source, stale_after=0.05)
    directory.poll()
    source.broken = True
    assert directory.snapshot(CLINIC).epoch == 1
    stale = threading.Event()
    for _ in range(200):
        directory.poll()
        try:
            directory.fresh()
        except Unavailable:
            stale.set()
            break
        stale.wait(0.005)
    assert stale.is_set()
    with pytest.raises(Unavailable):
        directory.snapshot(CLINIC)
    source.broken = False
    directory.poll()
    assert directory.snapshot(CLINIC).epoch == 1


def test_one_organisation_that_cannot_be_read_does_not_stop_another() -> None:
    source = Breaking([clinic(), Loaded(organisation(HARBOUR))])
    source.broken_for = CLINIC
    directory = Directory(source)
    directory.poll()
    assert directory.snapshot(HARBOUR).id == HARBOUR
    with pytest.raises(Unavailable):
        directory.snapshot(CLINIC)
    source.broken_for = None
    directory.poll()
    assert directory.snapshot(CLINIC).id == CLINIC


def test_the_thread_follows_within_two_seconds() -> None:
    source = StaticSource([clinic()])
    directory = Directory(source)
    directory.start()
    try:
        source.put(clinic(epoch=2, credentials=()))
        waiting = threading.Event()
        for _ in range(40):
            if directory.credential("clinic-ehr") is None:
                break
            waiting.wait(0.05)
        assert directory.credential("clinic-ehr") is None
    finally:
        directory.stop()
