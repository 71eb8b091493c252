"""From the link to the message: GET never acts, a POST proves, every outcome has a page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.mailbox.models import Challenge, Deposit, PortalSession
from carepost.tenancy import events
from carepost.tenancy.models import Organisation
from tests.support.mailroom import MINUTE, SECRET_SUBJECT, SECRET_TEXT, KeptDoor, again, happened, lay

JANE = "jane.quillfeather@patient.test"
PHI = (SECRET_SUBJECT, SECRET_TEXT, JANE, "Quillfeather", "zebrafish", "Owl")


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def title_of(response: Any) -> str:
    found = re.search(r"<title>(.*?)</title>", response.content.decode())
    assert found
    return found[1]


def test_a_scanner_may_fetch_the_link_twenty_times(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    """BI-093: no state change, no code, no 'read', no event; and nothing of the message is shown."""
    row = lay(maple)
    before = events.head()
    for path in ("", "/code", "/help", "/not-me", "/read", "/body", "/print", "/reply", "/file/0", "/files", "/delete"):
        for _ in range(20 if not path else 2):
            response = Client().get(f"/m/{row.link}{path}", follow=True)
            for word in PHI:
                assert word not in response.content.decode()
    assert (door.taken, events.head()) == ([], before)
    assert (Challenge.objects.count(), PortalSession.objects.count(), again(row).state) == (0, 0, "open")


def test_head_and_other_methods_do_not_act(maple: Organisation, door: KeptDoor) -> None:
    row = lay(maple)
    http = Client()
    before = events.head()
    assert [http.head(f"/m/{row.link}{path}").status_code for path in ("", "/code")] == [200, 200]
    http.head(f"/m/{row.link}/read")
    assert events.head() == before
    for method in (http.get, http.head, http.put, http.delete):
        assert method(f"/m/{row.link}/send-code").status_code == 405
        assert method("/sign-out").status_code == 405
    assert door.taken == []


def test_the_door_says_whom_it_is_for_and_how(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    page = guest.get(f"/m/{row.link}")
    assert page.status_code == 200
    said = text_of(page)
    assert "j•••@p•••.test" in said
    assert "Maple Clinic" in said
    assert "555-0100" in said
    assert "28 days left" in said or "27 days left" in said
    assert "This isn’t me" in said
    assert "I can’t get the code" in said
    assert title_of(page) == "Open a secure message"


def test_the_whole_way_by_mailed_code(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    assert guest.enter(row).headers["Location"] == f"/m/{row.link}/read"
    page = guest.get(f"/m/{row.link}/read")
    assert SECRET_SUBJECT in page.content.decode()
    assert title_of(page) == "Read your secure message"
    assert SECRET_TEXT in guest.get(f"/m/{row.link}/body").content.decode()
    # coming back: one screen
    assert guest.get(f"/m/{row.link}").headers["Location"] == f"/m/{row.link}/read"
    (opened,) = happened(maple.pk, "portal.opened")
    assert opened.facts["achieved"] == "MAILBOX"


def test_the_code_field_helps_as_it_can(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.post(f"/m/{row.link}/send-code", f"/m/{row.link}")
    page = guest.get(f"/m/{row.link}/code").content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    assert "5 tries left" in page
    assert "data-wait=" in page
    assert "onpaste" not in page


def test_wrong_codes_are_counted_in_words_then_locked(
    maple: Organisation, guest: Any, door: KeptDoor, pass_time: Callable[[int], None]
) -> None:
    row = lay(maple)
    path = f"/m/{row.link}/code"
    for number in range(3):
        guest.post(f"/m/{row.link}/send-code", path)
        wrong = f"{(int(door.code(JANE)) + 1) % 1_000_000:06d}"
        for left in (4, 3, 2, 1):
            page = guest.post(path, code=wrong)
            assert page.status_code == 422
            assert "That is not the code" in text_of(page)
            assert f"{left} {'try' if left == 1 else 'tries'} left" in text_of(page)
        last = guest.post(path, code=wrong)
        assert last.status_code == (429 if number == 2 else 422)
        pass_time(2 * MINUTE)
    assert "Too many tries" in text_of(last)
    assert "The page opens again at" in text_of(last)
    for closed in (f"/m/{row.link}", path):
        assert guest.get(closed).status_code == 429


def test_an_access_code_opens_from_the_first_page(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple, code="Blue Heron 42")
    page = guest.post(f"/m/{row.link}/prove", f"/m/{row.link}", answer="no")
    assert page.status_code == 422
    assert "4 tries left" in text_of(page)
    assert guest.post(f"/m/{row.link}/prove", f"/m/{row.link}", answer="BLUE-HERON-42").status_code == 302
    assert guest.get(f"/m/{row.link}/read").status_code == 200
    assert happened(maple.pk, "portal.opened")[0].facts["achieved"] == "PORTAL"
    # a code by e-mail is no way round it
    assert guest.post(f"/m/{row.link}/send-code", "/settings").headers["Location"] == f"/m/{row.link}"
    assert door.taken == []


def test_the_question_is_shown_by_a_post_only(maple: Organisation, guest: Any) -> None:
    row = lay(maple, question=("Where did we meet?", "Old mill"))
    assert "Where did we meet" not in guest.get(f"/m/{row.link}").content.decode()
    assert guest.get(f"/m/{row.link}/question").status_code == 405
    page = guest.post(f"/m/{row.link}/question", f"/m/{row.link}")
    assert "Where did we meet?" in text_of(page)
    assert guest.post(f"/m/{row.link}/prove", f"/m/{row.link}", answer="old mill").status_code == 302


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [("expired", 410, "has expired"), ("retracted", 410, "took this message back"), ("deleted", 410, "was deleted")],
)
def test_what_ended_has_a_page_of_its_own(
    state: str, status: int, said: str, maple: Organisation, guest: Any, door: KeptDoor
) -> None:
    row = lay(maple)
    Deposit.objects.filter(id=row.id).update(state=state)
    page = guest.get(f"/m/{row.link}")
    assert page.status_code == status
    assert said in text_of(page)
    assert "555-0100" in text_of(page)
    # the way forward
    done = guest.post(f"/m/{row.link}/help", f"/m/{row.link}")
    assert "We told the sender" in text_of(done)
    assert len(door.mails("dr.owl@maple.test")) == 1


@pytest.mark.parametrize("link", ["x", "A" * 43, "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000, "é"])
def test_an_unknown_link_has_a_page_with_a_way_forward(link: str, guest: Any, maple: Organisation) -> None:
    """BI-088."""
    page = guest.get(f"/m/{link}")
    assert page.status_code == 404
    assert "We don’t know this link" in text_of(page)
    assert "Open the e-mail again" in text_of(page)


def test_a_busy_engine_has_a_page_and_a_time_to_come_back(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    door.closed = True
    page = guest.post(f"/m/{row.link}/send-code", f"/m/{row.link}")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    assert "Please try again in a minute" in text_of(page)
    assert re.search(r"give this number: [0-9a-f-]{36}", text_of(page))


def test_not_me_and_help_tell_the_sender(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    for path in ("help", "not-me"):
        assert "We told the sender" in text_of(guest.post(f"/m/{row.link}/{path}"))
    assert len(door.mails("dr.owl@maple.test")) == 2


def test_signed_in_as_another_person_is_said(maple: Organisation, guest: Any) -> None:
    mine, theirs = lay(maple), lay(maple, to="tom@patient.test")
    guest.enter(mine)
    page = guest.get(f"/m/{theirs.link}")
    assert "This message is for somebody else" in text_of(page)
    assert guest.get(f"/m/{theirs.link}/read").status_code == 302


def test_the_other_organisations_session_opens_nothing(maple: Organisation, harbour: Organisation, guest: Any) -> None:
    here, there = lay(maple), lay(harbour, sender="desk@harbour.test")
    guest.enter(here)
    for path in ("read", "body", "print", "reply"):
        assert guest.get(f"/m/{there.link}/{path}").headers["Location"] == f"/m/{there.link}"
    assert guest.get(f"/m/{there.link}/file/0").status_code == 404
    assert again(there).state == "open"
