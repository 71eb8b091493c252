"""What programs that grew up with SendGrid say, and nobody writes into an example: nulls, moments that have passed,
settings of older libraries, more than there is room for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carepost.directory.shelf import StaticShelf
from carepost.ground import clock, ids
from carepost.rendering.types import Source
from tests.rooms.reception.test_parts import mail, template
from tests.support.clinics import MAPLE
from tests.support.live import LiveHttp

PATH = "/v3/mail/send"
REMINDER = ids.new()
SOURCE = Source("Visit", "<p>Dear {{ name | default: 'you' }}</p>")


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(shelf=StaticShelf({(MAPLE, REMINDER): template(SOURCE)}, {}))
    yield server
    server.close()


def letter(one: dict[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    plain = {
        "personalizations": [{"to": [{"email": "ann@elsewhere.test"}], **(one or {})}],
        "from": {"email": "nurse@maple.test"},
        "subject": "Your visit",
        "content": [{"type": "text/plain", "value": "See you."}],
    }
    return {**plain, **change}


def fields(answer: dict[str, Any]) -> list[str]:
    return [one["field"] for one in answer["errors"]]


def test_null_says_no_more_than_leaving_out(http: LiveHttp) -> None:
    file = {"content": "YQ==", "filename": "a.txt", "type": None, "disposition": None, "content_id": None}
    asked = letter(
        {"cc": None, "bcc": None, "subject": None, "headers": None, "custom_args": {"visit": None}, "send_at": None},
        reply_to=None, reply_to_list=None, attachments=[file], categories=None, mail_settings=None, asm=None,
        tracking_settings={"click_tracking": None}, **{"from": {"email": "nurse@maple.test", "name": None}},
    )  # fmt: skip
    assert http.post(PATH, asked)[0] == 202
    [made] = http.intake.submissions
    assert made.metadata == {} and mail(made)["subject"] == "Your visit"
    assert [one.get_filename() for one in mail(made).iter_attachments()] == ["a.txt"]
    # what must be there is missing, and where no list may hold null it is said
    assert fields(http.post(PATH, letter({"to": None}))[1]) == ["personalizations.0.to"]
    assert fields(http.post(PATH, letter({"cc": [None]}))[1]) == ["personalizations.0.cc.0"]
    # BI-085 holds all the same
    doubled = json.dumps(letter({"cc": None})).replace('"cc"', '"cc": [], "cc"').encode()
    assert http.post(PATH, doubled)[0] == 400
    deep = json.dumps(letter({"cc": None})).replace("null", "[" * 400 + "null" + "]" * 400).encode()
    assert http.post(PATH, deep)[0] == 400


def test_a_templates_own_subject_wins_over_the_mails(http: LiveHttp) -> None:
    """SendGrid takes both: programs that always write a subject go on working."""
    asked = letter({"dynamic_template_data": {"name": "Ann"}, "subject": "A third"}, template_id=f"d-{REMINDER.hex()}")
    del asked["content"]
    assert http.post(PATH, asked)[0] == 202
    [made] = http.intake.submissions
    assert mail(made)["subject"] == "Visit" and b"Dear Ann" in made.body


def test_null_stays_where_a_template_is_filled(http: LiveHttp) -> None:
    asked = letter({"dynamic_template_data": {"name": None}, "cc": None}, template_id=f"d-{REMINDER.hex()}")
    del asked["content"], asked["subject"]
    assert http.post(PATH, asked)[0] == 202
    assert b"Dear you" in http.intake.submissions[0].body
    # nothing to fill in and no template: nothing was asked
    assert http.post(PATH, letter({"dynamic_template_data": {}}))[0] == 202


@pytest.mark.parametrize("ago", [0, 60, 1_700, 1_900, 7_200, 400 * 86_400])
def test_a_moment_that_has_passed_is_now(http: LiveHttp, ago: int) -> None:
    at = clock.now() // 1_000_000 - ago
    assert http.post(PATH, letter(send_at=at))[0] == 202
    assert http.post(PATH, letter({"send_at": at}))[0] == 202
    assert [one.send_at for one in http.intake.submissions] == [0, 0]


def test_the_same_mail_again_after_its_moment_is_the_same_mail(http: LiveHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    at = clock.now() // 1_000_000 + 30
    first = http.post(PATH, letter(send_at=at), Idempotency_Key="visit-7")
    now = clock.now
    monkeypatch.setattr("carepost.ground.clock.now", lambda: now() + 60_000_000)
    again = http.post(PATH, letter(send_at=at), Idempotency_Key="visit-7")
    assert (first[0], again[0]) == (202, 202) and first[2]["x-message-id"] == again[2]["x-message-id"]
    assert len(http.intake.submissions) == 1 and http.intake.submissions[0].send_at == at * 1_000_000


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (letter(mail_settings={"bcc": {"enable": True, "email": "a@b.test"}}), "mail_settings.bcc"),
        (letter(mail_settings={"forward_spam": {"enable": True}}), "mail_settings.forward_spam"),
        (letter({"send_at": 10**18}), "personalizations.0.send_at"),
        (letter(custom_args={"visit": "x" * 999}), "personalizations.0.custom_args"),
        (letter(custom_args={"x" * 129: "1"}), "personalizations.0.custom_args"),
        (letter(custom_args={"": "1"}), "personalizations.0.custom_args"),
        (letter({"headers": {f"X-A{n}": "1" for n in range(26)}}, headers={f"X-B{n}": "1" for n in range(26)}),
         "personalizations.0.headers"),
        (letter({"substitutions": {"-a-": "x" * 10_000}}), "personalizations.0.substitutions"),
    ],
    ids=["bcc", "spam", "time", "long", "name", "no-name", "headers", "substitutions"],
)  # fmt: skip
def test_what_has_no_room_or_no_meaning_is_named(http: LiveHttp, asked: dict[str, Any], field: str) -> None:
    status, answer, _ = http.post(PATH, asked)
    assert status == 400 and fields(answer) == [field] and len(answer["errors"][0]["message"]) > 20
    assert not http.intake.submissions


def test_settings_of_older_libraries_that_are_off_are_no_fault(http: LiveHttp) -> None:
    off = {"bcc": {"enable": False, "email": ""}, "forward_spam": {"enable": False}}
    assert http.post(PATH, letter(mail_settings=off))[0] == 202


def test_a_text_that_grows_beyond_all_bounds_is_refused_and_the_others_go(http: LiveHttp) -> None:
    asked = letter(content=[{"type": "text/plain", "value": "-a-" * 2_000}])
    asked["personalizations"] = [
        {"to": [{"email": "ann@elsewhere.test"}], "substitutions": {"-a-": "x" * 9_000}},
        {"to": [{"email": "bob@elsewhere.test"}], "substitutions": {"-a-": "x"}},
    ]
    status, answer, _ = http.post(PATH, asked)
    assert status == 400 and fields(answer) == ["personalizations", "personalizations.0.substitutions"]
    assert [one.envelope.recipients[0].address for one in http.intake.submissions] == ["bob@elsewhere.test"]


def test_a_personalizations_header_stands_in_place_of_the_mails(http: LiveHttp) -> None:
    assert http.post(PATH, letter({"headers": {"x-visit": "8"}}, headers={"X-Visit": "7", "X-Site": "n"}))[0] == 202
    assert mail(http.intake.submissions[0]).get_all("x-visit") == ["8"]


def test_a_content_id_may_stand_in_angle_brackets(http: LiveHttp) -> None:
    file = {"content": "YQ==", "filename": "a.png", "type": "image/png", "disposition": "inline", "content_id": "<x@y>"}
    page = [{"type": "text/html", "value": '<img src="cid:x@y">'}]
    assert http.post(PATH, letter(attachments=[file], content=page))[0] == 202
    assert b"Content-ID: <x@y>" in http.intake.submissions[0].body


def test_another_method_is_told_which_one(http: LiveHttp) -> None:
    for method in ("GET", "PUT", "DELETE"):
        status, answer, said = http.request(method, PATH)
        assert (status, said["allow"]) == (405, "POST") and answer["errors"][0]["message"]


@pytest.mark.parametrize("path", ["/v3/templates", "/v3/suppression/bounces", "/v3/asm/groups/a%2fb", "/v3/../x"])
def test_what_the_office_would_answer_is_refused_in_their_shape_while_it_is_down(tmp_path: Path, path: str) -> None:
    server = LiveHttp(office=str(tmp_path / "nobody.sock"))
    try:
        status, answer, said = server.request("GET", path)
        assert status in (404, 503) and [*answer] == ["errors"] and answer["errors"][0]["message"]
        assert said["content-type"] == "application/json" and ("retry-after" in said) == (status == 503)
    finally:
        server.close()
