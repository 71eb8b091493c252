"""Replying, the list, settings, signing out."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from carepost.mailbox.models import RETRACTED, Deposit, Recipient
from carepost.rfc import mime
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.ui import uploads
from tests.support.mailroom import MINUTE, SECRET_SUBJECT, KeptDoor, lay


def test_a_reply_with_a_file_is_sent_and_said(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    form = guest.get(f"/m/{row.link}/reply").content.decode()
    assert "Nobody else gets it" in form
    assert "At most 10 files" in form
    scan = SimpleUploadedFile("scan.pdf", b"%PDF made up", "application/pdf")
    sent = guest.post(f"/m/{row.link}/reply", text="Thank you", files=[scan])
    assert sent.headers["Location"] == f"/m/{row.link}/read?done=replied"
    page = guest.get(sent.headers["Location"]).content.decode()
    assert "Your reply was sent" in page
    assert "Thank you" in page
    content = mime.read(door.taken[-1].body)
    assert content.text.startswith("Thank you")
    assert [(a.name, a.data) for a in content.attachments] == [("scan.pdf", b"%PDF made up")]


def test_an_empty_reply_is_refused_beside_the_form(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    page = guest.post(f"/m/{row.link}/reply", text=" ")
    assert page.status_code == 422
    assert "Write a message, or choose a file." in page.content.decode()


def test_a_busy_engine_keeps_the_draft_and_says_so(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    door.closed = True
    page = guest.post(f"/m/{row.link}/reply", text="Precious words")
    assert page.status_code == 503
    assert "Your text was saved as a draft" in page.content.decode()
    assert "Precious words" in guest.get(f"/m/{row.link}/reply").content.decode()


def test_a_draft_is_saved_with_and_without_script(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    plain = guest.post(f"/m/{row.link}/draft", f"/m/{row.link}/reply", text="half a thought")
    page = guest.get(plain.headers["Location"]).content.decode()
    assert "Draft saved" in page
    assert "half a thought" in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "text": "a whole thought"}
    scripted = guest.http.post(f"/m/{row.link}/draft", fields, headers={"accept": "application/json"})
    assert scripted.json()["saved_at"] > 0
    assert Client().post(f"/m/{row.link}/draft", {"text": "x"}).status_code == 404


def test_too_large_an_upload_is_said_and_never_touches_the_disk(
    maple: Organisation, guest: Any, door: KeptDoor, monkeypatch: Any, settings: Any
) -> None:
    """Law 9: no temporary file; BI-086: bounded."""
    row = lay(maple)
    guest.enter(row)
    door.taken.clear()
    monkeypatch.setattr(uploads, "LIMIT", 3000)
    big = SimpleUploadedFile("scan.pdf", b"x" * 5000, "application/pdf")
    page = guest.post(f"/m/{row.link}/reply", text="Here it is", files=[big])
    assert page.status_code == 413
    assert "Together they may have 20 MB" in page.content.decode()
    assert "Here it is" in page.content.decode()
    assert door.taken == []
    monkeypatch.setattr(uploads, "LIMIT", 100)
    big.seek(0)
    assert guest.post(f"/m/{row.link}/reply", text="x", files=[big]).status_code == 400
    assert settings.FILE_UPLOAD_HANDLERS == ["carepost.ui.uploads.InMemory"]


def test_the_list_is_searched_by_post(maple: Organisation, guest: Any) -> None:
    row = lay(maple, subject="About your visit")
    lay(maple, subject="Bill for heron watching")
    guest.enter(row)
    page = guest.get("/messages").content.decode()
    assert "2 messages, 2 unread" in page
    found = guest.post("/messages", q="heron").content.decode()
    assert "Bill for heron watching" in found
    assert "About your visit" not in found
    none = guest.post("/messages", q="zebra").content.decode()
    assert "No message found" in none
    assert "q=" not in re.sub(r"<input[^>]*>", "", page)


def test_the_empty_list_says_what_it_is(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    guest.post(f"/m/{row.link}/delete")
    assert "No messages yet" in guest.get("/messages").content.decode()


def test_without_a_session_there_is_a_way_back(guest: Any) -> None:
    for path in ("/messages", "/settings"):
        page = guest.get(path)
        assert page.status_code == 401
        assert "You are not signed in" in page.content.decode()


def test_settings_show_sessions_and_end_them_everywhere(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    from tests.rooms.portal.conftest import Guest

    row = lay(maple, code="Blue Heron 42")
    guest.post(f"/m/{row.link}/prove", f"/m/{row.link}", answer="blue heron 42")
    second = Guest(door)
    second.post(f"/m/{row.link}/prove", f"/m/{row.link}", answer="blue heron 42")
    page = guest.get("/settings").content.decode()
    assert page.count("Firefox on Android") >= 2
    assert "This device" in page
    guest.post("/settings/sessions/end", "/settings")
    assert second.get(f"/m/{row.link}/read").status_code == 302
    assert guest.get("/settings").status_code == 401


def test_signing_out_leaves_nothing(maple: Organisation, guest: Any) -> None:
    """HS-20: after it, the back button shows nothing."""
    row = lay(maple)
    guest.enter(row)
    left = guest.post("/sign-out", f"/m/{row.link}/read")
    assert "You are signed out" in left.content.decode()
    assert '"cache"' in left.headers["Clear-Site-Data"]
    shown = guest.get(f"/m/{row.link}/read", follow=True).content.decode()
    assert SECRET_SUBJECT not in shown


def test_an_idle_session_shows_nothing(maple: Organisation, guest: Any, pass_time: Callable[[int], None]) -> None:
    """HS-33."""
    row = lay(maple)
    guest.enter(row)
    pass_time(31 * MINUTE)
    assert guest.get(f"/m/{row.link}/read").status_code == 302


def test_notices_can_be_turned_off_and_on(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    guest.post("/settings/notices", "/settings", quiet="1")
    assert Recipient.objects.get().quiet
    assert "You turned notices off" in guest.get("/settings").content.decode()
    guest.post("/settings/notices", "/settings", quiet="0")
    assert not Recipient.objects.get().quiet


def test_my_data_comes_by_post(maple: Organisation, guest: Any) -> None:
    row = lay(maple)
    guest.enter(row)
    assert guest.get("/settings/data").status_code == 405
    packed = zipfile.ZipFile(io.BytesIO(guest.post("/settings/data", "/settings").content))
    assert packed.namelist() == ["message-1.eml"]


@pytest.mark.django_db(databases=["default", "records"])
def test_the_public_pages_set_no_cookie() -> None:
    for path in ("/", "/.well-known/carepost-log"):
        shown = Client().get(path)
        assert shown.status_code == 200
        assert not shown.cookies


def test_send_pressed_twice_on_one_page_is_one_reply(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    door.taken.clear()
    form = guest.get(f"/m/{row.link}/reply").content.decode()
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', form))
    assert set(fields) == {"csrfmiddlewaretoken", "page"}
    for _ in range(2):
        assert guest.http.post(f"/m/{row.link}/reply", {**fields, "text": "Thank you"}).url.endswith("?done=replied")
    assert len(door.taken) == 1


def test_what_was_written_is_given_back_when_the_session_ended(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    door.taken.clear()
    form = guest.get(f"/m/{row.link}/reply").content.decode()
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', form))
    del guest.http.cookies["carepost-guest"]
    kept = guest.http.post(f"/m/{row.link}/reply", {**fields, "text": "Precious <b>words</b>"})
    page = kept.content.decode()
    assert kept.status_code == 403
    assert "nothing was sent" in page
    assert "Precious &lt;b&gt;words&lt;/b&gt;" in page
    assert fields["page"] in page
    assert SECRET_SUBJECT not in page
    assert door.taken == []
    # who proves it again in another tab goes on with the same page
    guest.enter(row)
    door.taken.clear()
    again = dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', page))
    assert guest.http.post(f"/m/{row.link}/reply", {**again, "text": "Precious words"}).status_code == 302
    assert len(door.taken) == 1
    assert guest.http.post(f"/m/{'x' * 43}/reply", {**again, "text": "words"}).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [({"state": RETRACTED}, "The sender took this message back"), ({"expires_at": 1}, "This message has expired")],
    ids=["taken-back", "expired"],
)
def test_what_was_written_is_given_back_when_the_message_ended_meanwhile(
    maple: Organisation, guest: Any, door: KeptDoor, change: dict[str, Any], said: str
) -> None:
    row = lay(maple)
    guest.enter(row)
    form = guest.get(f"/m/{row.link}/reply").content.decode()
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', form))
    door.taken.clear()
    with scope.organisation(maple.pk):
        assert Deposit.objects.filter(id=row.id).update(**change) == 1
    for path in (f"/m/{row.link}/reply", f"/m/{row.link}/draft"):
        given = guest.http.post(path, {**fields, "text": "Precious <b>words</b>"})
        page = given.content.decode()
        assert given.status_code == 410
        assert said in page
        assert "Your reply was not sent" in page
        assert "Precious &lt;b&gt;words&lt;/b&gt;" in page
        assert SECRET_SUBJECT not in page
    # nothing written: the usual page
    empty = guest.http.post(f"/m/{row.link}/reply", {**fields, "text": " "})
    assert empty.status_code == 410 and "What you wrote" not in empty.content.decode()
    assert door.taken == []


def test_a_page_that_is_too_old_says_so_and_gives_a_reply_back(maple: Organisation, guest: Any, door: KeptDoor) -> None:
    row = lay(maple)
    guest.enter(row)
    door.taken.clear()
    kept = guest.http.post(
        f"/m/{row.link}/reply", {"csrfmiddlewaretoken": "old", "page": "p", "text": "Precious words"}
    )
    page = kept.content.decode()
    assert kept.status_code == 403
    assert "Nothing was sent" in page and "Precious words" in page and 'value="p"' in page
    assert SECRET_SUBJECT not in page
    assert door.taken == []
    again = dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', page))
    assert guest.http.post(f"/m/{row.link}/reply", {**again, "text": "Precious words"}).status_code == 302
    for path, way in ((f"/m/{row.link}/send-code", f'href="/m/{row.link}"'), (f"/m/{'x' * 43}/reply", "")):
        stale = guest.http.post(path, {"csrfmiddlewaretoken": "old", "text": "words" if way == "" else ""})
        page = stale.content.decode()
        assert stale.status_code == 403
        assert "This page was open too long" in page and way in page and "</html>" in page
