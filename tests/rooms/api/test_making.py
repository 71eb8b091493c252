"""Templates and uploads over the API: what is made, what is refused, and whose it is."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from carepost.directory.shelf import FileHead
from carepost.tenancy import scope, sealing
from carepost.uploads.acts import PURPOSE, place
from carepost.uploads.models import Upload
from tests.support.outbox import office_events
from tests.support.workbench import in_this_process

__all__ = ["in_this_process"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name }}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
REMINDER = {"name": "Reminder", "source": {"subject": "Visit of {{ name }}", "mjml": MJML}, "note": "spring"}


@pytest.fixture(autouse=True)
def _eyes() -> Iterator[None]:
    """A test sees all rows; what it calls must ask for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


def test_a_template_from_its_making_to_its_end(machine: Any) -> None:
    asking = machine("templates")
    made = asking.post("/templates", REMINDER)
    assert made.status_code == 201 and (made.json()["active"], made.json()["newest"]) == (1, 1)
    at = f"/templates/{made.json()['id']}"
    found = asking.get(at).json()
    assert found["source"]["mjml"] == MJML and found["variables"] == ["name"] and "Dear {{ name }}" in found["text"]
    second = asking.post(f"{at}/versions", {"source": {"subject": "s", "text": "t {{ day }}"}, "activate": False})
    assert (second.status_code, second.json()) == (201, {"number": 2, "active": False})
    shown = asking.post(f"{at}/render", {"variables": {"name": "Jo <b>"}}).json()
    assert shown["subject"] == "Visit of Jo <b>" and "Jo &lt;b&gt;" in shown["html"]
    missing = asking.post(f"{at}/render", {"variables": {"nom": "Zebulon"}, "number": 2})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/variables")
    assert b"`day` is missing" in missing.content and b"Zebulon" not in missing.content
    assert asking.post(f"{at}/versions/2/activate", {}).json() == {"number": 2, "active": True}
    assert [(v["number"], v["active"]) for v in asking.get(f"{at}/versions").json()["versions"]] == [
        (2, True), (1, False),
    ]  # fmt: skip
    assert asking.get(f"{at}/versions/1").json()["source"]["mjml"] == MJML
    assert asking.get(f"{at}/versions/9").status_code == 404 and asking.get(f"{at}/versions/0").status_code == 404
    assert [t["name"] for t in asking.get("/templates").json()["templates"]] == ["Reminder"]
    assert asking.patch(at, {"name": "Visit reminder"}).status_code == 204
    assert [t["id"] for t in asking.get("/templates", name="Visit reminder").json()["templates"]] == [made.json()["id"]]
    assert asking.get("/templates", name="Reminder").json()["templates"] == []
    assert asking.delete(at).status_code == 204 and asking.get(at).status_code == 404
    assert len(office_events("template.activated")) == 1


def test_what_is_wrong_with_a_template_is_told_where(machine: Any) -> None:
    asking = machine("templates")
    for source, where in (
        ({"subject": "s", "html": "<p>{{ a | shout }}"}, "/source/html"),
        ({"subject": "{{ a", "text": "x"}, "/source/subject"),
        ({"subject": "s", "html": "x", "mjml": MJML}, "/source/mjml"),
        ({"subject": "s"}, "/source/html"),
    ):
        answer = asking.post("/templates", {"name": "Wrong", "source": source})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, where)
    assert asking.post("/templates", {**REMINDER, "sauce": 1}).status_code == 422
    assert asking.post("/templates", REMINDER).status_code == 201
    assert asking.post("/templates", REMINDER).status_code == 409


def test_another_organisations_template_and_upload_are_not_there(machine: Any, cast: Any) -> None:
    asking, stranger = machine(), machine(org=cast.harbour)
    at = f"/templates/{asking.post('/templates', REMINDER).json()['id']}"
    source = {"source": REMINDER["source"]}
    answers = [
        stranger.get(at), stranger.delete(at), stranger.get(f"{at}/versions"), stranger.post(f"{at}/versions", source),
        stranger.get(f"{at}/versions/1"), stranger.post(f"{at}/versions/1/activate", {}),
        stranger.post(f"{at}/render", {}),
        stranger.delete(f"/uploads/{send(asking).json()['id']}"),
    ]  # fmt: skip
    assert {a.status_code for a in answers} == {404}
    assert stranger.get("/templates").json() == {"templates": []}
    assert asking.get(at).json()["active"] == 1 and Upload.objects.count() == 1


def test_keys_without_the_scope_are_refused(machine: Any) -> None:
    asking = machine("search")
    assert asking.get("/templates").status_code == 403 and asking.post("/templates", REMINDER).status_code == 403
    assert send(asking).status_code == 403


def send(
    asking: Any, *, name: str = "scan quillfeather.pdf", data: bytes = b"%PDF invented", part: str = "file"
) -> Any:
    file = SimpleUploadedFile(name, data, content_type="application/pdf")
    headers = {"Authorization": f"Bearer {asking.secret}"}
    return asking.http.post("/api/v1/uploads", {part: file}, headers=headers)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("text/calendar; charset=utf-8; method=REQUEST", "text/calendar; charset=utf-8; method=REQUEST"),
        ('text/plain; format="flowed and wide"', 'text/plain; format="flowed and wide"'),
        ("application/pdf", "application/pdf"),
    ],
)
def test_a_files_type_keeps_its_parameters(machine: Any, said: str, kept: str) -> None:
    """An invitation without its method is none, and a text without its charset is read wrongly."""
    asking = machine("send")
    part = f'--x\r\nContent-Disposition: form-data; name="file"; filename="a.ics"\r\nContent-Type: {said}\r\n\r\n'
    answer = asking.http.generic(
        "POST", "/api/v1/uploads", f"{part}BEGIN\r\n--x--\r\n", content_type="multipart/form-data; boundary=x",
        headers=asking._key(),
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    row = Upload.objects.get()
    with scope.organisation(row.org_id):
        opened = sealing.open_(row.org_id, PURPOSE, bytes(row.head), place("head", row))
    assert msgspec.msgpack.decode(opened, type=FileHead).kind == kept


def test_a_file_is_uploaded_sealed_and_removed(machine: Any) -> None:
    asking = machine("send")
    answer = send(asking)
    assert answer.status_code == 201 and answer.json()["size"] == 13
    row = Upload.objects.get()
    assert b"quillfeather" not in bytes(row.head) and b"invented" not in bytes(row.data)
    assert asking.delete(f"/uploads/{answer.json()['id']}").status_code == 204
    assert asking.delete(f"/uploads/{answer.json()['id']}").status_code == 404
    assert asking.delete(f"/uploads/{uuid.uuid4()}").status_code == 404


def test_what_is_no_upload_is_told(machine: Any) -> None:
    asking = machine("send")
    assert asking.post("/uploads", {"file": "x"}).status_code == 415
    assert send(asking, part="data").status_code == 422
    assert send(asking, data=bytes(20_000_001)).status_code == 413
    broken = asking.http.post(
        "/api/v1/uploads", b"--x\r\n", content_type="multipart/form-data; boundary=\xff",
        headers={"Authorization": f"Bearer {asking.secret}"},
    )  # fmt: skip
    assert broken.status_code == 422
    assert not Upload.objects.exists()


def test_keys_have_limits_and_make_none_that_may_more(machine: Any) -> None:
    asking = machine("keys", "send")
    made = asking.post("/keys", {"name": "slow", "scopes": ["keys", "send"], "per_minute": 600})
    assert made.status_code == 201
    listed = {k["name"]: (k["scopes"], k["per_minute"]) for k in asking.get("/keys").json()["keys"]}
    assert listed["slow"] == (["keys", "send"], 600)
    slow = machine("send")
    slow.secret = made.json()["secret"]
    assert slow.post("/keys", {"name": "fast", "scopes": ["send"]}).status_code == 403
    assert slow.post("/keys", {"name": "fast", "scopes": ["send"], "per_minute": 601}).status_code == 403
    assert slow.post("/keys", {"name": "child", "scopes": ["send"], "per_minute": 60}).status_code == 201
    assert asking.post("/keys", {"name": "x", "scopes": ["send"], "per_minute": -1}).status_code == 422


def test_a_test_key_makes_test_keys_alone(machine: Any) -> None:
    asking = machine("keys", "send", "test")
    assert asking.post("/keys", {"name": "real", "scopes": ["send"]}).status_code == 403
    assert asking.post("/keys", {"name": "test", "scopes": ["send", "test"]}).status_code == 201
