"""Certificates of recipients in the console: by whom, of whom, what is told, and what an administrator may do."""

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.keyring import acts, looking, words
from carepost.keyring.models import RecipientKey
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_recipient_keys import BO, openpgp, smime
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


def hidden(http: Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found is not None
    return found[1]


def post(http: Client, path: str, **fields: Any) -> Any:
    return http.post(path, {"csrfmiddlewaretoken": hidden(http, "/certificates/new"), **fields})


def file(data: bytes, name: str = "bo.pem") -> io.BytesIO:
    made = io.BytesIO(data)
    made.name = name
    return made


def known(org: Organisation, data: bytes | None = None, address: str = BO) -> uuid.UUID:
    return acts.add_key(org.pk, address, data or smime(address), actor=BOOTSTRAP, reason="known").pk


def rows(org: Organisation) -> list[RecipientKey]:
    with scope.organisation(org.pk):
        return list(RecipientKey.objects.filter(org=org).order_by("pk"))


def test_one_is_handed_in_as_a_file_and_shown_with_its_fingerprint(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    assert "No certificates yet" in http.get("/certificates").content.decode()
    answer = post(http, "/certificates/new", address=" Bo@Partner.test", file=file(smime()), reason="by telephone")
    (row,) = rows(maple)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/certificates/{row.pk}")
    page = http.get(f"/certificates/{row.pk}").content.decode()
    with scope.organisation(maple.pk):
        fingerprint = acts.opened(row).fingerprint
    for said in ("Bo@partner.test", "S/MIME", "In use", words.grouped(fingerprint), "handed in by an administrator"):
        assert said in page, said
    assert "partner" not in re.findall("<title>(.*?)</title>", page)[0].lower()
    (event,) = office_events("keyring.key-added")
    assert event.actor.kind == "staff" and "reason" in event.commit
    assert len(office_events("keyring.keys-viewed")) == 1
    assert "Use this one" not in page and "Vouch for it" not in page, "it is in use, and vouched for"
    assert '<input type="hidden" name="recipient" value="Bo@partner.test">' in page, "to the messages, by POST"


def test_one_is_pasted_and_what_is_wrong_is_said_beside_the_form(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    given = {"address": BO, "text": openpgp().decode(), "reason": "from their card"}
    for wrong, said in (
        ({"text": ""}, "Choose a file, or paste"),
        ({"text": "hello"}, "no certificate"),
        ({"address": "no address"}, 'role="alert"'),
        ({"address": "eve@elsewhere.test"}, "not for this address"),
        ({"reason": ""}, "Say why"),
    ):
        answer = post(http, "/certificates/new", **given | wrong)
        assert (answer.status_code, said in answer.content.decode()) == (422, True), wrong
    assert rows(maple) == []
    assert post(http, "/certificates/new", **given).status_code == 302
    assert [row.method for row in rows(maple)] == ["openpgp"]


def test_a_search_comes_by_post_and_finds_nobody_elses(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    known(maple)
    known(maple, address="cy@partner.test")
    known(harbour, address="secret@elsewhere.test")
    http = at_desk("administrator")
    page = http.get("/certificates").content.decode()
    assert BO in page and "cy@partner.test" in page and "secret@" not in page
    found = post(http, "/certificates", address="BO@partner.test").content.decode()
    assert "1 certificate found" in found and "cy@" not in found
    assert "No certificate found" in post(http, "/certificates", address="secret@elsewhere.test").content.decode()
    assert post(http, "/certificates", address="@@").status_code == 422
    assert [event.facts["count"] for event in office_events("keyring.keys-listed")] == ["2"]
    assert "address" in office_events("keyring.keys-viewed")[0].commit


def test_a_long_list_comes_in_pages(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carepost.keyring.select.listing.__kwdefaults__", {"after": "", "limit": 2, "attention": False})
    for number in range(3):
        known(maple, address=f"p{number}@partner.test")
    http = at_desk("administrator")
    page = http.get("/certificates").content.decode()
    assert "p2@" in page and "p1@" in page and "p0@" not in page
    cursor = re.search(r'name="cursor" value="([^"]+)"[^>]*><button', page)
    assert cursor is not None
    last = post(http, "/certificates", cursor=cursor[1]).content.decode()
    assert "p0@" in last and "p1@" not in last and "First page" in last
    assert post(http, "/certificates", cursor="2").status_code == 404


def test_which_is_used_is_decided_with_a_reason(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    old, new = known(maple), known(maple)
    http = at_desk("administrator")
    page = http.get(f"/certificates/{new}").content.decode()
    assert "2 certificates are known" in page and "Replaced" in page
    assert "btn-primary" not in page and "<details open" not in page, "nothing waits, so nothing is offered first"
    assert page.count("Use this one again</summary>") == 1 and page.count("Distrust it</summary>") == 2
    assert post(http, f"/certificates/{old}/pin", reason=" ").status_code == 422
    assert post(http, f"/certificates/{old}/pin", reason="the new one was a mistake").status_code == 302
    assert {row.pk: row.state for row in rows(maple)} == {old: "in use", new: "replaced"}
    assert len(office_events("keyring.key-pinned")) == 1
    wrong = post(http, f"/certificates/{old}/distrust")
    assert (wrong.status_code, b"Say why" in wrong.content) == (422, True)
    assert wrong.content.decode().count(" open><summary") == 1, "the act whose reason is missing stands open"
    assert post(http, f"/certificates/{old}/distrust", reason="stolen laptop").status_code == 302
    assert {row.pk: row.state for row in rows(maple)} == {old: "distrusted", new: "replaced"}
    (event,) = office_events("keyring.key-distrusted")
    assert event.actor.kind == "staff" and "reason" in event.commit
    refused = post(http, f"/certificates/{old}/pin", reason="oops")
    assert (refused.status_code, b"hand it in again" in refused.content) == (409, True)


def test_several_are_shown_first_and_used_when_agreed(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    known(maple)
    http = at_desk("administrator")
    files = [
        file(smime(), f"{BO}.pem"), file(openpgp("cy@partner.test"), "cy@partner.test.asc"),
        file(b"nothing", "di@partner.test.pem"), file(b"who is who", "notes.txt"),
    ]  # fmt: skip
    page = post(http, "/certificates/several", several=files, reason="yearly").content.decode()
    assert "used now was handed in by an administrator: <span" in page and "Choose the files again" not in page
    for said in ("4 files", "Replaces another", "New", "no certificate", "name says no address", "Use 2 certificates"):
        assert said in page, said
    assert len(rows(maple)) == 1, "nothing has changed yet"
    carried = re.search(r'name="carried" value="([^"]+)"', page)
    assert carried is not None
    done = post(http, "/certificates/several", do="import", carried=carried[1], reason="yearly").content.decode()
    assert "What was handed in" in done and "4 files: <strong>2</strong> used from now on" in done, "as was shown"
    assert sorted(row.state for row in rows(maple)) == ["in use", "in use", "replaced"]
    assert len(office_events("keyring.key-added")) == 3
    again = post(http, "/certificates/several", several=[file(openpgp("cy@partner.test"), "x.asc")], reason="r")
    assert "Use 1" not in again.content.decode() and "Choose the files again" in again.content.decode()


def test_two_files_for_one_recipient_are_told_of_before_and_the_first_counts(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    same = smime()
    files = [
        file(same, f"{BO}.pem"), file(same, f"{BO}.crt"), file(smime(), f"{BO.upper()}.cer"),
        file(openpgp(), f"{BO}.asc"),
    ]  # fmt: skip
    page = post(http, "/certificates/several", several=files, reason="yearly").content.decode()
    assert "for the same recipient" in page and "Use 2 certificates" in page and "<strong>1</strong> known" in page
    carried = re.search(r'name="carried" value="([^"]+)"', page)
    assert carried is not None
    done = post(http, "/certificates/several", do="import", carried=carried[1], reason="yearly").content.decode()
    assert "<strong>2</strong> used from now on, <strong>1</strong> known already, <strong>1</strong> refused" in done
    assert sorted((row.method, row.state) for row in rows(maple)) == [("openpgp", "in use"), ("smime", "in use")]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"reason": "r"}, 422, b"Choose the files"),
        ({"reason": "r", "several": [file(b"x", f"p{n}@x.test.pem") for n in range(21)]}, 422, b"at most 20 files"),
        ({"do": "import", "carried": "%%%", "reason": "r"}, 422, b"Choose the files again"),
        ({"do": "import", "carried": "gaFhYg==", "reason": "r"}, 422, b"Choose the files again"),
    ],
    ids=["none", "too many", "no base64", "another shape"],
)
def test_an_import_that_cannot_be_is_said_so(
    fields: dict[str, Any], status: int, said: bytes, maple: Organisation, at_desk: Callable[..., Client],
    door: KeptDoor,
) -> None:  # fmt: skip
    answer = post(at_desk("administrator"), "/certificates/several", **fields)
    assert (answer.status_code, said in answer.content) == (status, True)
    assert rows(maple) == []


@pytest.mark.parametrize("path", ["", "/pin", "/distrust"])
def test_another_organisations_certificate_is_not_there(
    path: str, maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    row = known(harbour)
    http = at_desk("administrator")
    answer = post(http, f"/certificates/{row}{path}", reason="mine") if path else http.get(f"/certificates/{row}")
    assert answer.status_code == 404
    assert [one.state for one in rows(harbour)] == ["in use"]


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_only_administrators_come_in(
    role: str, maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    row = known(maple)
    http = at_desk(role)
    for path in ("/certificates", "/certificates/new", "/certificates/several", f"/certificates/{row}"):
        assert http.get(path).status_code == 404
    token = hidden(http, "/help")
    form = {"csrfmiddlewaretoken": token, "reason": "r", "address": BO, "text": smime().decode()}
    for path in ("/certificates/new", f"/certificates/{row}/pin", f"/certificates/{row}/distrust"):
        assert http.post(path, form).status_code == 404
    assert [one.state for one in rows(maple)] == ["in use"]
    assert Client().get("/certificates").status_code == 302


def test_the_overview_tells_administrators_what_needs_them(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.health = list  # type: ignore[attr-defined]
    known(maple)
    known(maple, smime("cy@partner.test", days=20), "cy@partner.test")
    http = at_desk("administrator")
    assert "1 recipient’s certificate needs your eyes" in http.get("/").content.decode()
    assert "recipient’s certificate" not in at_desk("operator").get("/").content.decode()
    page = http.get("/certificates?attention=1").content.decode()
    assert "cy@partner.test" in page and BO not in page and "In use, ends soon" in page


def test_one_nobody_vouched_for_is_said_to_be_asked_about_unless_the_organisation_does_not_want_to_know(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    row = known(maple)
    http = at_desk("administrator")
    asked = "whenever its authority says that it was not revoked"
    assert asked not in http.get(f"/certificates/{row}").content.decode(), "vouched for: nobody is asked"
    with scope.organisation(maple.pk):
        RecipientKey.objects.filter(pk=row).update(pinned=False, source="signed-mail")
    assert asked in http.get(f"/certificates/{row}").content.decode()
    looking.choose(maple.pk, ["signed-mail"], unknown_ok=True, actor=BOOTSTRAP, reason="small authorities")
    assert asked not in http.get(f"/certificates/{row}").content.decode()
