"""What a message of the API names: templates with variables, uploads by id; of its own organisation alone."""

import email
import email.policy
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from carepost.directory.shelf import FileHead, StaticShelf, Template, Upload
from carepost.ground import ids
from carepost.rendering.frames import Compile
from carepost.rendering.liquid import Workbench
from carepost.rendering.types import Compiled, Source
from tests.support.clinics import HARBOUR, MAPLE
from tests.support.live import LiveHttp

PATH = "/api/v1/messages"
REMINDER, FILE, THEIRS = ids.new(), ids.new(), ids.new()
SOURCE = Source("Visit of {{ name }}", "<p>Dear {{ name }}, <b>see you</b> on {{ day | default: 'Monday' }}.</p>")


def template(source: Source, number: int = 3) -> Template:
    made = Workbench().do(Compile(source))
    assert isinstance(made, Compiled)
    return Template(number, msgspec.msgpack.encode(made))


@pytest.fixture
def shelf() -> StaticShelf:
    file = Upload(FileHead("scan.pdf", "application/pdf"), b"%PDF an invented scan")
    return StaticShelf(
        {(MAPLE, REMINDER): template(SOURCE), (HARBOUR, THEIRS): template(SOURCE)},
        {(MAPLE, FILE): file, (HARBOUR, THEIRS): file},
    )


@pytest.fixture
def http(shelf: StaticShelf) -> Iterator[LiveHttp]:
    server = LiveHttp(shelf=shelf)
    yield server
    server.close()


@pytest.fixture
def letter() -> dict[str, Any]:
    return {"from": "nurse@maple.test", "to": ["ann@elsewhere.test"], "template_id": str(uuid.UUID(bytes=REMINDER))}


def mail(submission: Any) -> EmailMessage:
    read = email.message_from_bytes(submission.body, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def pointer(answer: dict[str, Any]) -> str:
    found: str = answer["errors"][0]["pointer"]
    return found


def test_a_template_makes_subject_html_and_text_and_is_named(http: LiveHttp, letter: dict[str, Any]) -> None:
    status, _, _ = http.post(PATH, {**letter, "variables": {"name": "Ann <b>", "extra": [1, {"a": None}]}})
    assert status == 202
    (made,) = http.intake.submissions
    read = mail(made)
    assert read["Subject"] == "Visit of Ann <b>"
    html, text = read.get_body(("html",)), read.get_body(("plain",))
    assert html is not None and "Dear Ann &lt;b&gt;, <b>see you</b> on Monday." in html.get_content()
    assert text is not None and "Dear Ann <b>, see you on Monday." in text.get_content()
    assert made.template == f"{uuid.UUID(bytes=REMINDER)}/3"


def test_what_is_wrong_with_a_template_or_its_variables_is_told_without_a_value(
    http: LiveHttp, letter: dict[str, Any]
) -> None:
    status, answer, _ = http.post(PATH, {**letter, "variables": {"nom": "Zebulon"}})
    assert (status, pointer(answer)) == (422, "/variables")
    assert "`name` is missing" in answer["errors"][0]["detail"] and "Zebulon" not in str(answer)
    for named in (str(uuid.uuid4()), "welcome", str(uuid.UUID(bytes=THEIRS))):
        status, answer, _ = http.post(PATH, {**letter, "template_id": named})
        assert (status, pointer(answer)) == (422, "/template_id")
        assert answer["errors"][0]["detail"] == "There is no such template."
    status, answer, _ = http.post(PATH, {**letter, "text": "and this"})
    assert (status, pointer(answer)) == (422, "/template_id")
    plain = {"from": letter["from"], "to": letter["to"], "text": "x", "variables": {"name": "Ann"}}
    status, answer, _ = http.post(PATH, plain)
    assert (status, pointer(answer)) == (422, "/variables")
    assert http.intake.submissions == []


def test_bi_043_a_variable_adds_no_field(http: LiveHttp, letter: dict[str, Any]) -> None:
    assert http.post(PATH, {**letter, "variables": {"name": "Ann\r\nBcc: mallory@evil.test"}})[0] == 202
    read = mail(http.intake.submissions[0])
    assert read["Bcc"] is None and read["Subject"] == "Visit of Ann Bcc: mallory@evil.test"


def test_a_batch_renders_each_and_a_wrong_one_spoils_no_other(http: LiveHttp, letter: dict[str, Any]) -> None:
    many: list[dict[str, Any]] = [{**letter, "variables": {"name": f"P{n}"}} for n in range(200)]
    many[77] = letter
    status, answer, _ = http.post(PATH, {"messages": many})
    assert status == 202
    assert pointer(answer["messages"][77]["problem"]) == "/messages/77/variables"
    assert [mail(s)["Subject"] for s in http.intake.submissions] == [f"Visit of P{n}" for n in range(200) if n != 77]


def test_a_new_version_holds_from_the_next_epoch(http: LiveHttp, letter: dict[str, Any], shelf: StaticShelf) -> None:
    said = {**letter, "variables": {"name": "Ann"}}
    assert http.post(PATH, said)[0] == 202
    shelf.templates[MAPLE, REMINDER] = template(Source("News for {{ name }}", text="x"), 4)
    http.clinics.withdraw("maple-lab")
    assert http.post(PATH, said)[0] == 202
    first, second = http.intake.submissions
    assert (mail(first)["Subject"], mail(second)["Subject"]) == ("Visit of Ann", "News for Ann")
    assert (first.template[-2:], second.template[-2:]) == ("/3", "/4")


def test_bi_083_a_repeated_key_is_held_to_what_was_said(http: LiveHttp, letter: dict[str, Any]) -> None:
    http.post(PATH, {**letter, "variables": {"name": "Ann"}}, Idempotency_Key="a")
    http.post(PATH, {**letter, "variables": {"name": "Ann"}}, Idempotency_Key="b")
    http.post(PATH, {**letter, "variables": {"name": "Bo"}}, Idempotency_Key="c")
    first, second, third = (s.payload_hash for s in http.intake.submissions)
    assert first == second and second != third


def test_an_upload_is_attached_under_its_own_or_another_name(http: LiveHttp, message: dict[str, Any]) -> None:
    upload = str(uuid.UUID(bytes=FILE))
    files = [{"upload_id": upload}, {"upload_id": upload, "filename": "your scan.pdf"}]
    assert http.post(PATH, {**message, "attachments": files})[0] == 202
    found = [
        (a.get_filename(), a.get_content_type(), a.get_content())
        for a in mail(http.intake.submissions[0]).iter_attachments()
    ]
    data = b"%PDF an invented scan"
    assert found == [("scan.pdf", "application/pdf", data), ("your scan.pdf", "application/pdf", data)]
    assert http.bodies.held == 0


@pytest.mark.parametrize("named", ["", "scan.pdf", str(uuid.uuid4()), str(uuid.UUID(bytes=THEIRS))], ids=range(4))
def test_an_upload_that_is_not_there_or_anothers_is_told(http: LiveHttp, message: dict[str, Any], named: str) -> None:
    status, answer, _ = http.post(PATH, {**message, "attachments": [{"upload_id": named}]})
    assert (status, pointer(answer)) == (422, "/attachments/0/upload_id")
    assert http.intake.submissions == [] and http.bodies.held == 0


def test_an_attachment_is_said_or_uploaded_and_not_both(http: LiveHttp, message: dict[str, Any]) -> None:
    upload = str(uuid.UUID(bytes=FILE))
    for file, where in (
        ({"upload_id": upload, "content": "eA=="}, "content"), ({"filename": "a.txt"}, "content"),
        ({"content": "eA=="}, "filename"),
    ):  # fmt: skip
        status, answer, _ = http.post(PATH, {**message, "attachments": [file]})
        assert (status, pointer(answer)) == (422, f"/attachments/0/{where}")


def test_without_an_office_nothing_is_there(message: dict[str, Any], letter: dict[str, Any]) -> None:
    server = LiveHttp()
    try:
        assert pointer(server.post(PATH, letter)[1]) == "/template_id"
        assert pointer(server.post(PATH, {**message, "attachments": [{"upload_id": "x"}]})[1]).endswith("upload_id")
    finally:
        server.close()
