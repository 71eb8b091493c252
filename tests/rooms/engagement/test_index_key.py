"""A new index key while tracked mail is on its way: links already sent lead on, copies of one domain are still told
together, a portal session still speaks of the click before it; domains follow the key (decision 0059)."""

import uuid

import pytest

from carepost.crypto import index, link_token
from carepost.crypto.link_token import Link
from carepost.engagement import folding, known, sessions
from carepost.engagement.folding import Folding
from carepost.engagement.models import Copy, Session
from carepost.engagement.retokening import PLACES
from carepost.ground import clock
from carepost.tenancy import keys as opened
from carepost.tenancy import retokening, scope
from carepost.tenancy.actions import keys
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tenancy.retokening import Work
from carepost.tracking.judge import judge
from carepost.tracking.types import Trail, Verdict
from tests.rooms.engagement.conftest import MINUTE, PERSON, Copies

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]

JANE, JOHN, ELSE = "jane.quillfeather@patient.test", "john.roe@patient.test", "kim@elsewhere.test"
DESKTOP = PERSON | {"Sec-Fetch-Site": "none"}
RENTED = "3.120.44.9"


def fold(maple: Copies) -> list[str]:
    """Verdicts that were told."""
    maple.arrivals.write()
    maple.later(MINUTE + 1)
    Folding(maple.box.store).step(maple.at[0])
    told = [one for one in maple.box.commit_office() if one.kind.startswith("tracking.")]
    return [one.facts["verdict"] for one in told]


def change(maple: Copies) -> None:
    keys.rotate_key(maple.owner, "index", actor=COMMAND_LINE, reason="yearly")


def walk(maple: Copies) -> int:
    work = Work(PLACES)
    moved = work.step()
    for _ in range(20):
        if not work._waiting:
            return moved
        moved += work.step()
    raise AssertionError("the walk does not end")


def stands(maple: Copies) -> dict[str, tuple[int, bytes]]:
    with scope.organisation(maple.owner):
        rows = Copy.objects.filter(org_id=maple.owner)
        return {str(row.delivery): (row.under, bytes(row.domain)) for row in rows}


def token(maple: Copies, number: int, domain: str) -> bytes:
    with scope.organisation(maple.owner):
        return index.token(opened.version(maple.owner, "index", number), "domain", domain)


@pytest.fixture
def trails(monkeypatch: pytest.MonkeyPatch) -> list[Trail]:
    """What is judged, in order."""
    seen: list[Trail] = []

    def watched(trail: Trail) -> tuple[Verdict, ...]:
        seen.append(trail)
        return tuple(judge(trail))

    monkeypatch.setattr(folding, "judge", watched)
    return seen


def test_a_message_tracked_across_the_change_is_judged_with_others_of_its_domain(
    maple: Copies, trails: list[Trail]
) -> None:
    (_, (first,)), (_, (second,)), (_, (third,)) = maple.send(JANE), maple.send(JOHN), maple.send(ELSE)
    maple.later(10 * MINUTE)
    maple.click(first, 1)
    maple.click(third, 1)
    fold(maple)
    ours, theirs = str(uuid.UUID(bytes=first)), str(uuid.UUID(bytes=third))
    assert stands(maple)[ours] == (1, token(maple, 1, "patient.test"))
    change(maple)
    # the link was sent under the former key
    assert maple.click(second, 1).status_code in (302, 303, 307)
    trails.clear()
    fold(maple)
    assert {(one.copy, one.same_domain) for one in trails[0].around} == {(ours, True)}
    mine = str(uuid.UUID(bytes=second))
    assert stands(maple)[mine] == (2, token(maple, 2, "patient.test"))
    assert retokening.left(PLACES, maple.owner, 1) == {"copies that were opened or clicked": 2}
    assert walk(maple) == 2
    assert stands(maple) == {
        ours: (2, token(maple, 2, "patient.test")),
        mine: (2, token(maple, 2, "patient.test")),
        theirs: (2, token(maple, 2, "elsewhere.test")),
    }
    with scope.organisation(maple.owner):
        assert OrgKey.objects.get(org_id=maple.owner, purpose="index", version=1).emptied_at
    trails.clear()
    maple.click(second, 2)
    fold(maple)
    assert (ours, True) in {(one.copy, one.same_domain) for one in trails[0].around}


def test_copies_that_stand_under_a_key_that_was_emptied_before_they_followed_are_found(
    maple: Copies, trails: list[Trail]
) -> None:
    """As a version that knew nothing of them leaves it."""
    (_, (first,)), (_, (second,)) = maple.send(JANE), maple.send(JOHN)
    maple.later(10 * MINUTE)
    maple.click(first, 1)
    fold(maple)
    change(maple)
    with scope.organisation(maple.owner):
        OrgKey.objects.filter(org_id=maple.owner, purpose="index", version=1).update(emptied_at=clock.now())
    maple.click(second, 1)
    trails.clear()
    fold(maple)
    assert [one.same_domain for one in trails[0].around] == [True]


def test_a_domain_the_log_does_not_say_any_more_is_let_go(maple: Copies, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (first,) = maple.send(JANE)
    maple.later(10 * MINUTE)
    maple.click(first, 1)
    fold(maple)
    change(maple)
    monkeypatch.setattr(known, "domain_of", lambda *_: "")
    assert walk(maple) == 1
    assert stands(maple) == {str(uuid.UUID(bytes=first)): (0, b"")}
    assert retokening.left(PLACES, maple.owner, 1) == {}


def test_a_copy_that_nobody_judged_yet_holds_up_nothing(maple: Copies) -> None:
    _, (first,) = maple.send(JANE)
    maple.click(first, 1)
    maple.arrivals.write()
    assert stands(maple) == {str(uuid.UUID(bytes=first)): (0, b"")}
    change(maple)
    assert retokening.left(PLACES, maple.owner, 1) == {}
    assert walk(maple) == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_session_of_the_portal_speaks_of_the_click_before_it_across_the_change(maple: Copies, when: str) -> None:
    """The change lies between the click and the session, or between the session and its judging."""
    _, (delivery,) = maple.send(JANE)
    maple.later(180 * MINUTE)
    maple.click(delivery, 1, headers=DESKTOP, address=RENTED)
    assert fold(maple) == ["undetermined"]
    if when == "before":
        change(maple)
        walk(maple)
    assert sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    if when == "after":
        change(maple)
        walk(maple)
    with scope.organisation(maple.owner):
        (row,) = Session.objects.filter(org_id=maple.owner)
        number = 2 if when == "before" else 1
        assert bytes(row.person) == index.token(opened.version(maple.owner, "index", number), "address", JANE)
    assert fold(maple) == ["human"]


def test_what_is_made_after_the_change_names_the_new_key(maple: Copies) -> None:
    change(maple)
    _, (delivery,) = maple.send(JANE)
    with scope.organisation(maple.owner):
        number, key = opened.current(maple.owner, "index")
    link = Link(delivery, maple.at[0] // 1_000_000, 1, 3, False, True, "https://shop.test/1")
    made = link_token.make(key, "click", maple.org, link, number)
    assert number == 2 and maple.fetch(f"/c/{made}").status_code in (302, 303, 307)
    maple.later(10 * MINUTE)
    assert len(fold(maple)) == 1
    assert stands(maple)[str(uuid.UUID(bytes=delivery))][0] == 2
