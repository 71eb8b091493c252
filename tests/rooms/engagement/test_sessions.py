"""A portal opened by its person says who followed the link before: from the same place and browser, folded back."""

import uuid

import pytest
from django.test import Client

from carepost.engagement import forgetting, sessions
from carepost.engagement.folding import Folding
from carepost.engagement.forgetting import LIFE_US
from carepost.engagement.models import Copy, Hit, Session
from carepost.mailbox import door as engine
from carepost.proof import kinds
from carepost.proof.event import Event
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.rooms.engagement.conftest import MINUTE, PERSON, Copies
from tests.support.mailroom import KeptDoor, lay

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]

JANE = "jane.quillfeather@patient.test"
#: a desktop rented in a data centre: by itself nobody can say who sits there
RENTED = "3.120.44.9"
DESKTOP = PERSON | {"Sec-Fetch-Site": "none"}
HOUR = 60 * MINUTE


def fold(maple: Copies) -> list[Event]:
    maple.arrivals.write()
    maple.later(MINUTE + 1)
    Folding(maple.box.store).step(maple.at[0])
    return [one for one in maple.box.commit_office() if one.kind.startswith("tracking.")]


def clicked(maple: Copies, address: str = JANE, place: str = RENTED) -> bytes:
    """A copy whose link was followed hours after delivery, from a rented desktop: undetermined."""
    _, (delivery,) = maple.send(address)
    maple.later(3 * HOUR)
    maple.click(delivery, 1, headers=DESKTOP, address=place)
    assert [one.facts["verdict"] for one in fold(maple)] == ["undetermined"]
    return delivery


def kept(maple: Copies) -> list[Session]:
    with scope.organisation(maple.owner):
        return list(Session.objects.filter(org_id=maple.owner).order_by("at"))


def verdict(maple: Copies, delivery: bytes) -> str:
    with scope.organisation(maple.owner):
        return Copy.objects.get(org_id=maple.owner, delivery=uuid.UUID(bytes=delivery)).clicked


def test_a_portal_session_makes_a_persons_of_the_click_before_it(
    maple: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the portal's own door: notice, code, session. What changed is on record, with the reason."""
    door = KeptDoor()
    monkeypatch.setattr(engine, "client", lambda: door)
    delivery = clicked(maple)
    with scope.organisation(maple.owner):
        row = lay(Organisation.objects.get(pk=maple.owner))
    browser = Client(headers={"User-Agent": DESKTOP["User-Agent"]}, REMOTE_ADDR=RENTED)
    assert browser.post(f"/m/{row.link}/send-code").status_code == 302
    assert kept(maple) == []
    assert browser.post(f"/m/{row.link}/code", {"code": door.code(JANE)}).status_code == 302
    assert len(kept(maple)) == 1
    (told,) = fold(maple)
    assert (told.kind, told.cause) == (kinds.TRACKING_REJUDGED, "session")
    assert (told.facts["verdict-before"], told.facts["verdict"]) == ("undetermined", "human")
    assert verdict(maple, delivery) == "human"
    # looked at once
    assert [one.seen for one in kept(maple)] == [True]
    assert fold(maple) == []


@pytest.mark.parametrize(
    ("address", "client", "agent"),
    [
        ("someone.else@patient.test", RENTED, DESKTOP["User-Agent"]),
        (JANE, "198.51.100.200", DESKTOP["User-Agent"]),
        (JANE, RENTED, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        (JANE, RENTED, ""),
    ],
    ids=["another person", "another place", "another browser", "no name"],
)
def test_a_session_of_others_says_nothing(maple: Copies, address: str, client: str, agent: str) -> None:
    delivery = clicked(maple)
    assert sessions.opened(maple.org, address, client, agent)
    assert fold(maple) == []
    assert (verdict(maple, delivery), [one.seen for one in kept(maple)]) == ("undetermined", [True])


def test_a_session_before_the_click_says_nothing(maple: Copies) -> None:
    clicked(maple)
    assert sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    fold(maple)
    _, (second,) = maple.send(JANE)
    maple.later(HOUR)
    maple.click(second, 1, headers=DESKTOP, address=RENTED)
    fold(maple)
    assert verdict(maple, second) == "undetermined"


def test_the_evidence_holds_when_the_copy_is_judged_again(maple: Copies) -> None:
    delivery = clicked(maple)
    assert sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    fold(maple)
    with scope.organisation(maple.owner):
        Copy.objects.filter(org_id=maple.owner).update(rules=1)
    assert fold(maple) == []
    assert verdict(maple, delivery) == "human"


def test_where_no_watched_link_was_followed_lately_nothing_is_kept(maple: Copies) -> None:
    assert not sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    clicked(maple)
    maple.later(sessions.BEFORE_US)
    assert not sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    assert kept(maple) == []


def test_what_is_kept_is_a_token_and_two_sealed_tags(maple: Copies) -> None:
    """0029: neither address nor user agent; the same person in another organisation is another token."""
    clicked(maple)
    sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    (row,) = kept(maple)
    whole = b"".join(bytes(part) for part in (row.person, row.sealed))
    assert len(row.person) == 8
    assert len(row.sealed) < 120
    for word in (JANE.encode(), RENTED.encode(), b"Mozilla", b"quillfeather"):
        assert word not in whole


def test_an_organisation_of_unknown_keys_never_stands_in_the_way(maple: Copies) -> None:
    assert not sessions.opened(uuid.uuid4().bytes, JANE, RENTED, DESKTOP["User-Agent"])


def test_sessions_go_as_features_do(maple: Copies) -> None:
    clicked(maple)
    sessions.opened(maple.org, JANE, RENTED, DESKTOP["User-Agent"])
    with scope.organisation(maple.owner):
        assert Hit.objects.filter(org_id=maple.owner).count() == 1
    forgetting.sweep(maple.at[0] + LIFE_US + 1)
    assert kept(maple) == []
