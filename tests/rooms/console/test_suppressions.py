"""The suppression list before the desk: add, search, take off, undo, import after a look, export; who may not, sees
nothing; each showing is an event."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from carepost.ground import clock
from carepost.jobs import work
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation, Suppression
from tests.support.desk import person, seated
from tests.support.mailroom import happened

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables", "door")]

Sit = Callable[..., Client]
LIST = "/suppressions"


def post(desk: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.get(LIST).content.decode())
    assert found
    return desk.post(path, {"csrfmiddlewaretoken": found[1], **fields}, follow=True)


def shown(desk: Client) -> str:
    return str(desk.get(LIST).content.decode())


def row_of(page: str, verb: str) -> str:
    found = re.search(rf'action="(/suppressions/[0-9a-f-]{{36}}/{verb})"', page)
    assert found
    return found[1]


def test_added_found_taken_off_and_put_back(maple: Organisation, at_desk: Sit) -> None:
    desk = at_desk("operator")
    assert "Nobody is on the list" in shown(desk)
    answer = post(
        desk, f"{LIST}/add", address="Ann@Elsewhere.test", scope="marketing", until="2099-01-31", note="Phone"
    )
    page = answer.content.decode()
    for words in ("Ann@elsewhere.test", "marketing mail", "31 Jan 2099", "by a member of staff", "Phone"):
        assert words in page, words
    assert "Ann@elsewhere.test" in post(desk, LIST, address="ann@ELSEWHERE.test").content.decode()
    for other in ({"address": "bo@elsewhere.test"}, {"reason": "complaint"}, {"scope": "all"}, {"ends": "no"}):
        assert "No such entry" in post(desk, LIST, **other).content.decode(), other
    assert "Ann@elsewhere.test" in post(desk, LIST, reason="request", scope="marketing", ends="yes").content.decode()
    off = row_of(page, "remove")
    assert post(desk, off, reason="").status_code == 422
    page = post(desk, off, reason="She asked").content.decode()
    assert "Taken off in the last week" in page
    assert "on the list again, as it was" in post(desk, row_of(page, "restore")).content.decode()
    page = shown(desk)
    assert "31 Jan 2099" in page
    assert "Taken off in the last week" not in page
    assert [e.kind for e in happened(maple.pk, "suppression.added", "suppression.removed")] == [
        "suppression.added", "suppression.removed", "suppression.added",
    ]  # fmt: skip
    assert happened(maple.pk, "suppression.listed")


def test_wrong_entries_are_answered_in_words(at_desk: Sit) -> None:
    desk = at_desk("operator")
    for wrong in ({"address": "no address", "scope": "all", "note": "x"}, {"address": "a@b.test", "scope": "all"}):
        answer = post(desk, f"{LIST}/add", **wrong)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
    assert post(desk, LIST, address="nobody").status_code == 422


def test_an_import_is_looked_at_first(maple: Organisation, at_desk: Sit) -> None:
    desk = at_desk("operator")
    data = b"address,reason\nann@elsewhere.test,bounce\nwrong,bounce\nbo@elsewhere.test,request\n"
    page = post(desk, f"{LIST}/import", file=SimpleUploadedFile("list.csv", data)).content.decode()
    assert "would be added" in page
    assert "Line 3:" in page
    assert happened(maple.pk, "suppression.added") == []
    page = post(desk, f"{LIST}/import", text=data.decode(), do="import").content.decode()
    assert "The import has begun" in page and "Take this import back" not in page
    (job,) = re.findall(r'action="(/jobs/[0-9a-f-]{36})/cancel"', page)
    doing = work.Work(threading.Event())
    while doing.step(clock.now()):
        pass
    page = desk.get(job).content.decode()
    assert "2 addresses added" in page and "Take this import back" in page
    assert len(happened(maple.pk, "suppression.added")) == 2
    exported = b"".join(post(desk, f"{LIST}/export").streaming_content)
    assert exported.count(b"\n") == 2
    assert b"ann@elsewhere.test" in exported
    assert post(desk, f"{LIST}/import").status_code == 422
    assert post(desk, f"{LIST}/import", file=SimpleUploadedFile("x.csv", b"name\nx\n")).status_code == 422


def test_an_import_is_taken_back_from_its_page(maple: Organisation, at_desk: Sit) -> None:
    desk = at_desk("operator")
    post(desk, f"{LIST}/add", address="eve@elsewhere.test", scope="all", note="x")
    data = "address\nann@elsewhere.test\nbo@elsewhere.test\neve@elsewhere.test\n"
    page = post(desk, f"{LIST}/import", text=data, do="import").content.decode()
    (job,) = re.findall(r'action="(/jobs/[0-9a-f-]{36})/cancel"', page)
    doing = work.Work(threading.Event())
    while doing.step(clock.now()):
        pass
    page = desk.get(job).content.decode()
    (mark,) = re.findall(r'name="page" value="([^"]+)"', page)
    assert post(desk, f"{job}/undo", page=mark).status_code == 422
    assert post(at_desk("administrator", elsewhere=True), f"{job}/undo", reason="x").status_code == 404
    auditor = seated(person(maple, "auditor"))
    assert "Take this import back" not in auditor.get(job).content.decode()
    pages = [post(desk, f"{job}/undo", reason="the wrong file", page=mark).content.decode() for _ in range(2)]
    assert all("It is being taken back" in page for page in pages)
    while doing.step(clock.now()):
        pass
    assert shown(desk).count("@elsewhere.test</td>") == 3, "eve, and two that can be put back"
    listed = desk.get("/jobs").content.decode()
    assert listed.count("Taking back an import of suppressed addresses") == 1
    (undoing,) = {one for one in re.findall(r"/jobs/[0-9a-f-]{36}", listed) if one != job}
    page = desk.get(undoing).content.decode()
    assert "2 addresses off the list again" in page and "Take this import back" not in page


def test_what_ended_is_shown_when_it_is_asked_for(at_desk: Sit) -> None:
    desk = at_desk("operator")
    post(desk, f"{LIST}/add", address="ann@elsewhere.test", scope="all", until="2099-01-31", note="x")
    post(desk, f"{LIST}/add", address="bo@elsewhere.test", scope="all", note="x")
    assert "ann@elsewhere.test" in shown(desk)
    with scope.every("the test's own hand"):
        Suppression.objects.filter(expires_at__gt=0).update(expires_at=clock.now())
    page = shown(desk)
    assert "bo@elsewhere.test" in page and "ann@elsewhere.test" not in page
    page = post(desk, LIST, ends="over").content.decode()
    assert "ended " in page and "bo@elsewhere.test" not in page and "Take off the list" not in page


@pytest.mark.parametrize("role", ["auditor", "sender"])
def test_who_may_not_keep_the_list_has_no_such_page(maple: Organisation, role: str) -> None:
    desk = seated(person(maple, role))
    for path in (LIST, f"{LIST}/import"):
        assert desk.get(path).status_code == 404


def test_another_organisations_list_is_another(at_desk: Sit) -> None:
    desk = at_desk("operator")
    page = post(desk, f"{LIST}/add", address="ann@elsewhere.test", scope="all", note="x").content.decode()
    stranger = at_desk("administrator", elsewhere=True)
    assert "ann@elsewhere.test" not in shown(stranger)
    for verb in ("remove", "restore"):
        assert post(stranger, row_of(page, "remove").replace("remove", verb), reason="x").status_code == 404


def test_a_large_file_is_looked_at_in_the_background_and_imported_from_its_page(at_desk: Sit) -> None:
    desk = at_desk("operator")
    lines = "".join(f"person.{n}@elsewhere.test,{'n' * 400}\n" for n in range(2_600))
    file = SimpleUploadedFile("list.csv", f"address,note\nnobody,\n{lines}".encode())
    page = post(desk, f"{LIST}/import", file=file).content.decode()
    assert "nothing changes before you agree" in page and "0 of 2601 lines looked at so far" in page
    (job,) = re.findall(r'action="(/jobs/[0-9a-f-]{36})/cancel"', page)
    doing = work.Work(threading.Event())
    while doing.step(clock.now()):
        pass
    page = desk.get(job).content.decode()
    assert "2601 lines looked at, 2600 addresses would be added, 0 on the list already, 1 wrong." in page
    assert "Nothing has changed yet." in page and "Nobody is on the list" in shown(desk)
    (told,) = re.findall(r'action="(/jobs/[0-9a-f-]{36}/result)"', page)
    assert b"".join(post(desk, told).streaming_content).decode().splitlines()[1].startswith("2,")
    page = post(desk, f"{job}/import").content.decode()
    assert "The import has begun" in page
    assert "The import has begun" in post(desk, f"{job}/import").content.decode()
    while doing.step(clock.now()):
        pass
    assert "person.2599@elsewhere.test" in shown(desk)
    listed = desk.get("/jobs").content.decode()
    assert listed.count("Import of suppressed addresses") == 1 and "2,601 of 2,601 lines" in listed
