"""A new index key: what is suppressed and whose keys are known stays so before, while and after rows follow it."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from carepost.destinations import bounces
from carepost.destinations.bounces import Failure
from carepost.destinations.models import Bounce
from carepost.directory import Directory
from carepost.engagement import retokening
from carepost.ground import clock, ids
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.keys import Keys
from carepost.intake.ownkeys import OwnKeys
from carepost.intake.suppression import Suppression as Looked
from carepost.keyring import acts, found, own_acts, select
from carepost.keyring.models import OwnKey, RecipientKey
from carepost.policy.types import Category, Method, Ternary
from carepost.tenancy import address_tokens
from carepost.tenancy import retokening as walking
from carepost.tenancy.actions import domains, keys, suppression
from carepost.tenancy.models import OrgKey, Suppression
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tenancy.retokening import SETTLED_US, Work, left
from carepost.wire.found import SIGNED_MAIL, Found
from tests.rooms.keyring.test_recipient_keys import openpgp, smime
from tests.rooms.tenancy.test_engine_views import source
from tests.support.noon import at_present

__all__ = ["at_present"]

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

BO, CAM, ADA, OFFICE = "bo@partner.test", "cam@partner.test", "ada@clinic.test", "office@clinic.test"
GONE, MORE = "gone@partner.test", "more@partner.test"


class Engine:
    """What an engine knows; it reads the tables as they change, and keeps what it read."""

    def __init__(self, org: uuid.UUID) -> None:
        self.org = org
        self.directory = Directory(source(settings.CAREPOST_KEYS))
        self.tokens = Tokens(OrgKeys(settings.CAREPOST_KEYS))

    def snapshot(self, org: uuid.UUID | None = None) -> Any:
        self.directory.poll()
        return self.directory.snapshot((org or self.org).bytes)

    def suppressed(self, address: str, org: uuid.UUID | None = None) -> bool:
        return Looked(self.tokens).look(self.snapshot(org), address, Category.TRANSACTIONAL) is Ternary.YES

    def known(self, address: str, org: uuid.UUID | None = None) -> bool:
        return Keys(self.tokens).look(self.snapshot(org), address).smime is Ternary.YES

    def signs(self, sender: str) -> str:
        unread: Any = None
        key = OwnKeys(self.tokens, unread).signing(self.snapshot(), sender, Method.SMIME)
        return key.id if key is not None else ""


@pytest.fixture
def engine(cast: Any) -> Iterator[Engine]:
    made = Engine(cast.clinic)
    yield made
    made.directory.stop()


@pytest.fixture
def whole(cast: Any) -> dict[str, str]:
    """One of everything, in both organisations; the clinic's ids."""
    suppression.suppress(cast.harbour, GONE, actor=cast.hal, reason="bounce")
    acts.add_key(cast.harbour, BO, smime(), actor=cast.hal, reason="by telephone")
    suppression.suppress(cast.clinic, GONE, actor=cast.ada, reason="bounce")
    theirs = acts.add_key(cast.clinic, BO, smime(), actor=cast.ada, reason="by telephone")
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    mine = {
        name: own_acts.generate_key(
            cast.clinic, address, method=Method.SMIME, actor=cast.ada, reason="r", algorithm="ec-p256",
            shared=name == "shared",
        ).pk
        for name, address in (("own", ADA), ("shared", OFFICE))
    }  # fmt: skip
    pgp = own_acts.generate_key(cast.clinic, ADA, method=Method.OPENPGP, actor=cast.ada, reason="r")
    asked = own_acts.generate_key(
        cast.clinic, ADA, method=Method.SMIME, actor=cast.ada, reason="r", algorithm="ec-p256", waiting=True
    )
    return {name: str(pk) for name, pk in (*mine.items(), ("bo", theirs.pk), ("pgp", pgp.pk), ("asked", asked.pk))}


def change(org: uuid.UUID) -> OrgKey:
    return keys.rotate_key(org, "index", actor=COMMAND_LINE, reason="yearly")


def walk(work: Work | None = None, at_most: int = 50) -> int:
    """Steps until nothing is to do at once; how many rows moved."""
    work = work or Work(retokening.PLACES)
    moved = work.step()
    for _ in range(at_most):
        if not work._waiting:
            return moved
        moved += work.step()
    raise AssertionError("the walk does not end")


def stands(org: uuid.UUID) -> list[tuple[int, bool]]:
    rows = OrgKey.objects.filter(org_id=org, purpose="index").order_by("version")
    return [(row.version, bool(row.emptied_at)) for row in rows]


def test_everything_is_known_before_while_and_after_rows_follow(
    cast: Any, engine: Engine, whole: dict[str, str], told: Callable[[], Any], at: list[int]
) -> None:
    def same() -> None:
        assert engine.suppressed(GONE) and not engine.suppressed(CAM)
        assert engine.known(BO) and not engine.known(CAM)
        assert (engine.signs(ADA), engine.signs("bea@clinic.test")) == (whole["own"], whole["shared"])
        assert [one.id for one in select.keys_of(cast.clinic, cast.ada, BO)] == [whole["bo"]]
        assert not suppression.suppress(cast.clinic, GONE, actor=cast.ada, reason="bounce"), "it is on the list"
        assert engine.suppressed(GONE, cast.harbour) and engine.known(BO, cast.harbour)

    same()
    before = {name: bytes(row.token) for name, row in _rows(cast.clinic).items()}
    change(cast.clinic)
    same()
    assert engine.snapshot().token_versions == (2, 1)
    assert left(retokening.PLACES, cast.clinic, 1) == {"suppression list": 1, "recipients’ keys": 1, "own keys": 4}
    told()
    assert walk() == 6
    (event,) = [one.event for one in told() if one.event.kind == "orgkey.emptied"]
    assert (event.facts, event.actor.id) == ({"key": "index", "version": "1"}, "journal")
    assert (stands(cast.clinic), left(retokening.PLACES, cast.clinic, 1)) == ([(1, True), (2, False)], {})
    same()
    assert engine.snapshot().token_versions == (2,)
    after = _rows(cast.clinic)
    assert all(bytes(row.token) != before[name] or not before[name] for name, row in after.items())
    assert {row.under for row in after.values()} == {2}
    assert stands(cast.harbour) == [(1, False)]
    assert {row.under for row in _rows(cast.harbour).values()} == {1}


def _rows(org: uuid.UUID) -> dict[str, Any]:
    return {
        str(row.pk): row for table in (Suppression, RecipientKey, OwnKey) for row in table.objects.filter(org_id=org)
    }


def test_what_is_new_stands_under_the_new_key_and_what_is_old_is_found_under_it(
    cast: Any, engine: Engine, whole: dict[str, str]
) -> None:
    change(cast.clinic)
    suppression.suppress(cast.clinic, MORE, actor=cast.ada, reason="request")
    pgp = acts.add_key(cast.clinic, CAM, openpgp(CAM), actor=cast.ada, reason="by telephone")
    assert Suppression.objects.get(org_id=cast.clinic, under=2).former == b"" and pgp.under == 2
    assert engine.suppressed(MORE)
    # one that differs, found while the pinned one stands under the former key, still holds the mail (BI-072)
    other = smime()
    read = acts.reading.read(other, BO, clock.now())
    said = found.take(
        cast.clinic, Found(BO, "smime", SIGNED_MAIL, read.raw, read.fingerprint, read.not_after, read.chain)
    )
    assert said == "changed"
    changed = RecipientKey.objects.get(org_id=cast.clinic, state="changed")
    assert changed.under == 2 and len(select.beside(cast.clinic, cast.ada, changed.pk)) == 2
    acts.pin_key(cast.clinic, changed.pk, actor=cast.ada, reason="by telephone")
    assert RecipientKey.objects.get(pk=whole["bo"]).state == "replaced"
    # a new key of ours takes over from the one under the former key
    row = own_acts.rotate_key(cast.clinic, uuid.UUID(whole["own"]), actor=cast.ada, reason="yearly")
    assert (row.under, OwnKey.objects.get(pk=whole["own"]).state) == (2, "retired")
    assert engine.signs(ADA) == str(row.pk)


def test_an_engine_that_read_both_tokens_lets_go_of_an_address_taken_off_the_list(
    cast: Any, engine: Engine, whole: dict[str, str]
) -> None:
    assert engine.suppressed(GONE)
    change(cast.clinic)
    row = Suppression.objects.get(org_id=cast.clinic)
    before = bytes(row.token)
    # the first batch of the walk: the row moves, the former key still counts
    Work(retokening.PLACES).step()
    row.refresh_from_db()
    assert (row.under, bytes(row.former), stands(cast.clinic)[0]) == (2, before, (1, False))
    assert engine.suppressed(GONE)
    suppression.unsuppress(cast.clinic, GONE, actor=cast.ada, reason="it works again")
    assert not engine.suppressed(GONE) and engine.suppressed(GONE, cast.harbour)
    suppression.suppress(cast.clinic, GONE, actor=cast.ada, reason="bounce")
    assert engine.suppressed(GONE) and Suppression.objects.filter(org_id=cast.clinic).count() == 1


def test_former_tokens_go_once_every_engine_has_read_of_it(
    cast: Any, engine: Engine, whole: dict[str, str], at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(cast.clinic)
    monkeypatch.setattr(clock, "monotonic", lambda: at[0] / 1e6)
    work = Work(retokening.PLACES)
    at[0] += 11_000_000
    walk(work)
    assert Suppression.objects.get(org_id=cast.clinic).former != b""
    # another change meanwhile: its rows wait until the former tokens of the first have settled
    change(cast.clinic)
    at[0] += 11_000_000
    assert walk(work) == 0 and Suppression.objects.get(org_id=cast.clinic).under == 2
    assert engine.suppressed(GONE) and engine.known(BO)
    at[0] += SETTLED_US
    assert walk(work) == 6 and stands(cast.clinic) == [(1, True), (2, True), (3, False)]
    assert engine.suppressed(GONE) and engine.known(BO)
    at[0] += SETTLED_US + 11_000_000
    walk(work)
    assert Suppression.objects.get(org_id=cast.clinic).former == b""
    assert engine.suppressed(GONE) and engine.snapshot().token_versions == (3,)


def test_a_walk_that_was_cut_short_goes_on_where_rows_are_left(
    cast: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = [f"p{number}@partner.test" for number in range(7)]
    for one in everybody:
        suppression.suppress(cast.clinic, one, actor=cast.ada, reason="request")
    change(cast.clinic)
    monkeypatch.setattr(walking, "STEP", 3)
    first = Work(retokening.PLACES)
    assert (first.step(), first.step()) == (3, 3)
    assert left(retokening.PLACES, cast.clinic, 1) == {"suppression list": 1}
    assert all(engine.suppressed(one) for one in everybody)
    assert walk() == 1 and stands(cast.clinic)[0] == (1, True), "another journal, with no memory of the first"
    assert all(engine.suppressed(one) for one in everybody)


def test_a_row_that_nothing_opens_keeps_its_key_in_use_and_no_other_row_waits(cast: Any, engine: Engine) -> None:
    for one in (GONE, MORE):
        suppression.suppress(cast.clinic, one, actor=cast.ada, reason="request")
    broken = Suppression.objects.order_by("pk").filter(org_id=cast.clinic)[0]
    Suppression.objects.filter(pk=broken.pk).update(sealed=bytes(broken.sealed)[:-1] + b"\0\0")
    change(cast.clinic)
    assert walk() == 1
    assert left(retokening.PLACES, cast.clinic, 1) == {"suppression list": 1}
    assert stands(cast.clinic) == [(1, False), (2, False)]
    assert engine.suppressed(GONE) and engine.suppressed(MORE), "the former key is asked still"


def test_failures_before_the_change_count_with_those_after_it(cast: Any) -> None:
    """A bounce holds no address: its token stays, and every key there was is asked."""

    def failed(day: int) -> str:
        return bounces.take(
            cast.clinic,
            Failure(
                "bounce", ids.new(), ids.new(), GONE, "transactional", "domain-unknown", "hard", "dsn",
                clock.now() + day * 86_400_000_000,
            ),
        )  # fmt: skip

    assert failed(0) == "counted"
    change(cast.clinic)
    walk()
    assert stands(cast.clinic)[0] == (1, True)
    assert failed(2) == "suppressed", "the second failure on another day"
    tokens = address_tokens.ever(cast.clinic).tokens(GONE)
    assert sorted(bytes(row.token) for row in Bounce.objects.all()) == sorted(tokens)
