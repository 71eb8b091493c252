"""Bodies in the cold store, on a real S3 server: what goes there, what of it can be read there, how it comes back, and
that disposal, legal hold and a store that is away are what they should be."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from carepost.cold import health, s3, targets
from carepost.cold.models import ACTIVE, READING, Item, Target
from carepost.ground import clock, home
from carepost.ground.errors import ConfigError
from carepost.ground.providers.signing import Access
from carepost.journal import holds
from carepost.journal.cooling import Cooling
from carepost.mailbox import access, bodies, deposits, forgetting
from carepost.mailbox.models import Body, Deposit
from carepost.proof import event, kinds
from carepost.rfc.compose import Attachment
from carepost.tenancy import events, scope
from carepost.tenancy.actions.holds import lift_hold, place_hold
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire.types import Actor
from tests.rooms.mailbox.test_access import signed_in
from tests.support.bucket import ACCESS, Bucket, bucket
from tests.support.mailroom import SECRET_SUBJECT, SECRET_TEXT, KeptDoor, again, happened, lay
from tests.support.outbox import writable

DAY = 86_400_000_000
#: a real S3 server refuses requests of another hour: the clock runs
NOW = clock.now()
FAR = NOW + 400 * DAY
pytestmark = pytest.mark.django_db(databases=["default", "records"])

CSV = Attachment("values.csv", "text/csv", b"a,b\n1,2\n")
Pass = Callable[[int], None]


@pytest.fixture(scope="module")
def there() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture
def chosen(there: Bucket, maple: Organisation, tmp_path: Path, settings: object) -> Target:
    settings.CAREPOST_HOME = home.create(tmp_path / "home", sandbox=True)  # type: ignore[attr-defined]
    return targets.choose(there.place, ACCESS, 30)


def mover(run: Path | None = None, faults: Callable[[str], None] = lambda point: None) -> Cooling:
    return Cooling(run, threading.Event(), faults)


def body_of(row: Deposit) -> Body:
    with scope.organisation(row.org_id):
        return Body.objects.select_related("cold__target").get(org_id=row.org_id, message=row.message)


def items_of(org: Organisation) -> list[Item]:
    with scope.organisation(org.pk):
        return list(Item.objects.filter(org_id=org.pk))


def cooled(row: Deposit) -> Item:
    assert mover().step(NOW + 40 * DAY) == 1
    item = body_of(row).cold
    assert item is not None
    return item


def reader(there: Bucket) -> s3.Store:
    return s3.Store(there.place, ACCESS)


def test_an_old_body_goes_and_is_shown_as_before(
    chosen: Target, there: Bucket, maple: Organisation, door: KeptDoor
) -> None:
    row = lay(maple, attachments=[CSV], expires_at=FAR)
    chunks = bytes(body_of(row).chunks)
    assert mover().step(NOW + 29 * DAY) == 0, "not before its time"
    item = cooled(row)
    assert bytes(body_of(row).chunks) == b""
    kept = reader(there).get(item.name, item.size)
    assert kept == chunks, "sealed as it was, not sealed again"
    assert SECRET_TEXT.encode() not in kept and SECRET_SUBJECT.encode() not in kept
    assert str(row.message) not in item.name and row.message.hex not in item.name
    session = signed_in(row, door)
    seen = access.access_deposit(session, row.link)
    assert SECRET_TEXT in seen.content.text
    assert access.access_file(session, row.link, 0)[1] == CSV.data
    assert access.access_files(session, row.link)[:2] == b"PK"
    assert access.access_own_data(session)[:2] == b"PK"
    (moved,) = happened(maple.pk, kinds.BODY_COLD)
    assert (moved.on, moved.facts) == ([str(row.message)], {"size": str(item.size)})
    assert mover().step(NOW + 41 * DAY) == 0, "once"


def test_a_body_of_many_chunks_goes_too(chosen: Target, maple: Organisation, door: KeptDoor) -> None:
    large = Attachment("scan.pdf", "application/pdf", bytes(range(256)) * 12_000)
    row = lay(maple, attachments=[large], expires_at=FAR)
    cooled(row)
    assert access.access_file(signed_in(row, door), row.link, 0)[1] == large.data


def test_what_nobody_reads_any_more_is_deleted_there(chosen: Target, there: Bucket, maple: Organisation) -> None:
    row = lay(maple, expires_at=FAR)
    item = cooled(row)
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=Actor("staff", "ada"))
    with scope.organisation(maple.pk):
        assert not Body.objects.filter(org_id=maple.pk).exists(), "ciphertext's key is gone at once"
    assert reader(there).there(item.name)
    assert mover().step(NOW + 40 * DAY) == 1
    assert not reader(there).there(item.name)
    assert items_of(maple) == []
    (deleted,) = happened(maple.pk, kinds.BODY_COLD_DELETED)
    assert deleted.on == [str(row.message)]


def test_a_legal_hold_keeps_the_body_until_it_is_lifted(chosen: Target, there: Bucket, maple: Organisation) -> None:
    row = lay(maple, expires_at=FAR)
    item = cooled(row)
    hold = place_hold(maple.pk, row.message, actor=COMMAND_LINE, reason="a court asks")
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=Actor("staff", "ada"))
    mover().step(NOW + 40 * DAY)
    forgetting.message(maple.pk.bytes, row.message.bytes)
    mover().step(NOW + 40 * DAY)
    assert body_of(row).cold == item and reader(there).there(item.name)
    lift_hold(maple.pk, hold.pk, actor=COMMAND_LINE, reason="it is settled")
    forgetting.lifted(maple.pk.bytes, row.message.bytes)
    with scope.organisation(maple.pk):
        assert not Body.objects.filter(org_id=maple.pk).exists()
    mover().step(NOW + 40 * DAY)
    assert not reader(there).there(item.name)


def test_a_hold_keeps_what_lies_here_too(maple: Organisation, pass_time: Pass) -> None:
    """With no cold store at all: what a recipient deletes stays while the message is held."""
    row = lay(maple)
    place_hold(maple.pk, row.message, actor=COMMAND_LINE, reason="a court asks")
    pass_time(29 * DAY)
    assert deposits.expire(maple.pk.bytes) == 1
    assert bytes(body_of(row).chunks)


def test_a_store_that_is_away_is_said_and_nothing_is_lost(
    chosen: Target, there: Bucket, maple: Organisation, door: KeptDoor, tmp_path: Path
) -> None:
    row = lay(maple, expires_at=FAR)
    other = lay(maple, to="tom@patient.test", expires_at=FAR)
    cooled_both = mover().step(NOW + 40 * DAY)
    assert cooled_both == 2
    Target.objects.update(endpoint="https://localhost:1")
    session = signed_in(row, door)
    before = len(happened(maple.pk))
    with pytest.raises(bodies.Away) as away:
        access.access_deposit(session, row.link)
    assert (away.value.code, "cold store" in away.value.public) == ("cold-connection", True)
    assert len(happened(maple.pk)) == before, "what was not shown is not said to have been"
    third = lay(maple, to="ann@patient.test", expires_at=FAR)
    deposits.retract(maple.pk.bytes, other.delivery.bytes, actor=Actor("staff", "ada"))
    run = tmp_path
    assert mover(run).step(NOW + 80 * DAY) == 0
    said = health.read(run)
    assert said is not None and (said.fault, said.kept, said.going) == ("connection", 1, 1)
    assert bytes(body_of(third).chunks), "what cannot go stays"
    Target.objects.update(endpoint=there.place.endpoint)
    # what was begun, what waits to be deleted
    assert mover(run).step(NOW + 80 * DAY) == 2
    said = health.read(run)
    assert said is not None and (said.fault, said.kept, said.going) == ("", 2, 0)
    assert SECRET_TEXT in access.access_deposit(session, row.link).content.text


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_what_comes_back_otherwise_is_never_shown(
    how: str, chosen: Target, there: Bucket, maple: Organisation, door: KeptDoor
) -> None:
    row = lay(maple, expires_at=FAR)
    item = cooled(row)
    store = reader(there)
    if how == "changed":
        kept = store.get(item.name, item.size)
        store.put(item.name, kept[:-1] + bytes([kept[-1] ^ 1]))
    else:
        store.delete(item.name)
    with pytest.raises(bodies.Away) as away:
        access.access_deposit(signed_in(row, door), row.link)
    assert away.value.word == {"changed": "damaged", "missing": "missing"}[how]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("point", ["begun", "put", "verified", "kept"])
def test_who_is_killed_on_the_way_there_goes_on_from_the_rows(
    point: str, chosen: Target, there: Bucket, maple: Organisation, door: KeptDoor
) -> None:
    row = lay(maple, expires_at=FAR)

    def die(at: str) -> None:
        if at == point:
            raise Killed

    with pytest.raises(Killed):
        mover(faults=die).step(NOW + 40 * DAY)
    session = signed_in(row, door)
    assert SECRET_TEXT in access.access_deposit(session, row.link).content.text, "it can be read at every moment"
    mover().step(NOW + 40 * DAY)
    (item,) = items_of(maple)
    assert (item.state, body_of(row).cold, bytes(body_of(row).chunks)) == ("kept", item, b"")
    assert SECRET_TEXT in access.access_deposit(session, row.link).content.text
    assert len(happened(maple.pk, kinds.BODY_COLD)) == 1


@pytest.mark.parametrize("point", ["begun", "put", "verified"])
def test_what_is_disposed_of_on_its_way_leaves_no_object(
    point: str, chosen: Target, there: Bucket, maple: Organisation
) -> None:
    row = lay(maple, expires_at=FAR)

    def end(at: str) -> None:
        if at == point:
            deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=Actor("staff", "ada"))

    mover(faults=end).step(NOW + 40 * DAY)
    (item,) = items_of(maple)
    mover().step(NOW + 40 * DAY)
    assert not reader(there).there(item.name)
    assert items_of(maple) == []


def test_a_deletion_that_is_interrupted_is_done_again(chosen: Target, there: Bucket, maple: Organisation) -> None:
    row = lay(maple, expires_at=FAR)
    item = cooled(row)
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=Actor("staff", "ada"))

    def die(at: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        mover(faults=die).step(NOW + 40 * DAY)
    assert [one.pk for one in items_of(maple)] == [item.pk]
    mover().step(NOW + 40 * DAY)
    assert items_of(maple) == []
    assert len(happened(maple.pk, kinds.BODY_COLD_DELETED)) == 1


def test_another_bucket_leaves_the_former_one_readable_and_leaving_brings_all_back(
    chosen: Target, there: Bucket, maple: Organisation, door: KeptDoor
) -> None:
    row = lay(maple, expires_at=FAR)
    item = cooled(row)
    moved = msgspec.structs.replace(there.place, endpoint=there.place.endpoint.replace("localhost", "127.0.0.1"))
    second = targets.choose(moved, ACCESS, 10)
    assert {one.state for one in targets.every()} == {ACTIVE, READING}
    assert SECRET_TEXT in access.access_deposit(signed_in(row, door), row.link).content.text
    with pytest.raises(ConfigError):
        targets.forget(chosen.pk)
    targets.stop(second.pk)
    targets.leave(chosen.pk)
    assert mover().step(NOW + 40 * DAY) == 1
    assert bytes(body_of(row).chunks) and body_of(row).cold is None
    mover().step(NOW + 40 * DAY)
    assert not reader(there).there(item.name)
    targets.forget(chosen.pk)
    assert [one.pk for one in targets.every()] == [second.pk]
    assert len(happened(maple.pk, kinds.BODY_BACK)) == 1
    with scope.every("the house's events"):
        said = [event.read(one.event) for one in events.drain(0)]
    changes = [one.facts["state"] for one in said if one.kind == kinds.COLD_CHANGED]
    assert changes == ["active", "active", "reading", "leaving", "gone"]


def test_one_that_is_spoilt_keeps_no_other_from_coming_back(
    chosen: Target, there: Bucket, maple: Organisation, tmp_path: Path
) -> None:
    rows = [lay(maple, to=f"p{n}@patient.test", expires_at=FAR) for n in range(3)]
    assert mover().step(NOW + 40 * DAY) == 3
    first = body_of(rows[0]).cold
    assert first is not None
    reader(there).delete(first.name)
    targets.leave(chosen.pk)
    leaving = mover(tmp_path)
    while leaving.step(NOW + 40 * DAY):
        pass
    assert [bool(bytes(body_of(row).chunks)) for row in rows] == [False, True, True]
    said = health.read(tmp_path)
    assert said is not None and (said.fault, said.kept, said.going) == ("missing", 1, 0)


def test_the_secret_key_stands_wrapped_and_is_told_to_nobody(chosen: Target) -> None:
    assert ACCESS.secret.encode() not in bytes(chosen.wrapped)
    assert ACCESS.secret not in repr(targets.store_of(chosen)) + repr(ACCESS)


def test_a_bucket_is_tried_before_it_is_chosen(there: Bucket) -> None:
    assert targets.tried(there.place, ACCESS) is False
    for place, key, words in (
        (there.place, Access("nobody", "x"), "does not know the access key"),
        (there.place, Access(ACCESS.id, "x"), "does not know the access key"),
        (msgspec.structs.replace(there.place, bucket="others"), ACCESS, "may not"),
        (msgspec.structs.replace(there.place, ca=""), ACCESS, "not proved"),
        (msgspec.structs.replace(there.place, endpoint="https://localhost:1"), ACCESS, "no connection"),
        (msgspec.structs.replace(there.place, endpoint="https://169.254.169.254"), ACCESS, "no store can be"),
        (msgspec.structs.replace(there.place, sandbox=False), ACCESS, "no store can be"),
    ):
        with pytest.raises(ConfigError, match=words):
            targets.tried(place, key)


def test_holds_are_lifted_by_the_journal(chosen: Target, maple: Organisation) -> None:
    """`journal.holds` lets go of what only the hold kept; history has no part in it here."""
    row = lay(maple, expires_at=FAR)
    cooled(row)
    hold = place_hold(maple.pk, row.message, actor=COMMAND_LINE, reason="a court asks")
    deposits.retract(maple.pk.bytes, row.delivery.bytes, actor=Actor("staff", "ada"))
    lift_hold(maple.pk, hold.pk, actor=COMMAND_LINE, reason="it is settled")
    assert holds.step(writable()) == 1
    with scope.organisation(maple.pk):
        assert not Body.objects.filter(org_id=maple.pk).exists()
    assert again(row).state == "retracted"
