"""SendGrid's own client libraries, with host and key changed alone, and its wire format in every part."""

import base64
import email
import email.policy
import json
import subprocess
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from python_http_client.exceptions import BadRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Asm,
    Attachment,
    Bcc,
    Category,
    Cc,
    Content,
    CustomArg,
    Disposition,
    Email,
    FileContent,
    FileName,
    FileType,
    From,
    Header,
    Mail,
    MailSettings,
    Personalization,
    ReplyTo,
    SandBoxMode,
    SendAt,
    Substitution,
    To,
)  # fmt: skip

from carepost.directory.shelf import StaticShelf
from carepost.ground import clock, ids
from carepost.ground.errors import Refused, Unavailable
from carepost.policy.types import Category as Stream
from carepost.rendering.types import Source
from carepost.wire.types import TrackingAsk
from tests.rooms.reception.test_parts import template
from tests.support.clinics import MAPLE
from tests.support.live import LiveHttp

PATH = "/v3/mail/send"
REMINDER = ids.new()
SOURCE = Source("Visit of {{ name }}", "<p>Dear {{ name }}, see you on {{ day }}.</p>")


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(shelf=StaticShelf({(MAPLE, REMINDER): template(SOURCE)}, {}))
    yield server
    server.close()


@pytest.fixture
def client(http: LiveHttp) -> SendGridAPIClient:
    return SendGridAPIClient(http.clinics.secrets["maple"], host=http.url)


@pytest.fixture
def plain() -> dict[str, Any]:
    return {
        "personalizations": [{"to": [{"email": "ann@elsewhere.test"}]}],
        "from": {"email": "nurse@maple.test", "name": "Maple Clinic"},
        "subject": "Your visit",
        "content": [{"type": "text/plain", "value": "See you on Monday."}],
    }


def mails(http: LiveHttp) -> list[EmailMessage]:
    found = [email.message_from_bytes(one.body, policy=email.policy.default) for one in http.intake.submissions]
    return [one for one in found if isinstance(one, EmailMessage)]


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_the_python_library_sends_everything_it_can_say(http: LiveHttp, client: SendGridAPIClient) -> None:
    soon = clock.now() // 1_000_000 + 3600
    asked = Mail()
    asked.from_email = From("nurse@maple.test", "Maple Clinic")
    asked.subject = "Your visit"
    asked.reply_to = ReplyTo("desk@maple.test", "The desk")
    for address, name in (("ann@elsewhere.test", "Ann"), ("bob@elsewhere.test", "Bob")):
        one = Personalization()
        one.add_to(To(address, name))
        one.add_cc(Cc("carer@elsewhere.test"))
        one.add_bcc(Bcc("archive@elsewhere.test"))
        one.add_substitution(Substitution("-name-", name))
        one.add_header(Header("X-Visit", "7"))
        one.add_custom_arg(CustomArg("visit", "7"))
        asked.add_personalization(one)
    asked.content = [
        Content("text/plain", "Dear -name-, see you."),
        Content("text/html", "<p>Dear <b>-name-</b>, see you.</p>"),
    ]
    file = Attachment(
        FileContent(base64.b64encode(b"%PDF").decode()), FileName("plan.pdf"), FileType("application/pdf")
    )
    file.disposition = Disposition("attachment")
    asked.attachment = file
    asked.category = [Category("visits"), Category("spring")]
    asked.custom_arg = CustomArg("site", "north")
    asked.asm = Asm(2)
    asked.send_at = SendAt(soon)
    answer = client.send(asked)
    assert answer.status_code == 202 and answer.body == b""
    # the library puts each new personalization first
    _, first = http.intake.submissions
    assert uuid.UUID(answer.headers["X-Message-Id"])
    assert [r.address for r in first.envelope.recipients] == [
        "ann@elsewhere.test", "carer@elsewhere.test", "archive@elsewhere.test",
    ]  # fmt: skip
    assert sorted(first.tags) == ["spring", "visits"] and first.metadata == {"site": "north", "visit": "7"}
    assert first.category is Stream.MARKETING and first.send_at == soon * 1_000_000
    bob, ann = mails(http)
    assert (
        str(ann["from"]) == "Maple Clinic <nurse@maple.test>" and str(ann["reply-to"]) == "The desk <desk@maple.test>"
    )
    assert part(ann, "plain").strip() == "Dear Ann, see you." and "<b>Bob</b>" in part(bob, "html")
    assert ann["x-visit"] == "7" and b"archive@" not in first.body
    assert [one.get_filename() for one in ann.iter_attachments()] == ["plan.pdf"]


def test_a_dynamic_template_is_filled_for_each_person(http: LiveHttp, client: SendGridAPIClient) -> None:
    asked = Mail(from_email="nurse@maple.test")
    for name in ("Ann", "Bob"):
        one = Personalization()
        one.add_to(Email(f"{name.lower()}@elsewhere.test"))
        one.dynamic_template_data = {"name": name, "day": "Monday"}
        asked.add_personalization(one)
    asked.template_id = "d-" + REMINDER.hex()
    assert client.send(asked).status_code == 202
    assert [str(mail["subject"]) for mail in mails(http)] == ["Visit of Bob", "Visit of Ann"]
    assert "Dear Bob, see you on Monday." in part(mails(http)[0], "html")


def test_sandbox_mode_lets_nothing_leave(http: LiveHttp, client: SendGridAPIClient) -> None:
    asked = Mail("nurse@maple.test", "ann@elsewhere.test", "Your visit", "See you.")
    asked.mail_settings = MailSettings(sandbox_mode=SandBoxMode(True))
    assert client.send(asked).status_code == 200
    assert http.intake.submissions[0].test


def test_the_library_meets_its_own_errors(http: LiveHttp, client: SendGridAPIClient) -> None:
    nobody = To("ann@elsewhere.test")
    nobody.email = "nobody@"
    asked = Mail("nurse@maple.test", nobody, "Your visit", "See you.")
    with pytest.raises(BadRequestsError) as raised:
        client.send(asked)
    [error] = raised.value.to_dict["errors"]
    assert error["field"].startswith("personalizations.0.to") and error["message"] and error["help"] is None
    assert "nobody@elsewhere@test" not in json.dumps(raised.value.to_dict)
    with pytest.raises(UnauthorizedError) as refused:
        SendGridAPIClient("SG.nobodys-key", host=http.url).send(asked)
    assert refused.value.to_dict["errors"][0]["message"]
    assert not http.intake.submissions


_NODE = """
const mail = require("@sendgrid/mail"), client = require("@sendgrid/client");
const asked = JSON.parse(process.argv[2]);
client.setApiKey(asked.key);
client.setDefaultRequest("baseUrl", asked.url);
mail.setClient(client);
(async () => {
  const [one] = await mail.send({
    to: [{ email: "ann@elsewhere.test", name: "Ann" }], cc: "carer@elsewhere.test", from: "Maple <nurse@maple.test>",
    replyTo: "desk@maple.test", subject: "Visit", text: "See you.", html: "<p>See you.</p>", categories: ["visits"],
    customArgs: { visit: "7" }, headers: { "X-Visit": "7" },
    attachments: [{ content: Buffer.from("%PDF").toString("base64"), filename: "plan.pdf", type: "application/pdf" }],
  });
  await mail.sendMultiple({ to: ["ann@elsewhere.test", "bob@elsewhere.test"], from: "nurse@maple.test",
                            subject: "Visit", text: "See you." });
  let refused;
  try { await mail.send({ to: "ann@elsewhere.test", from: "nurse@maple.test", subject: "Visit", text: "x",
                          trackingSettings: { ganalytics: { enable: true } } }); }
  catch (error) { refused = { code: error.code, errors: error.response.body.errors }; }
  console.log(JSON.stringify({ status: one.statusCode, id: one.headers["x-message-id"], refused }));
})().catch((error) => { console.error(error.message, error.response && error.response.body); process.exit(1); });
"""


@pytest.mark.peers
def test_the_node_library_passes_unchanged(http: LiveHttp, tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", tmp_path, "@sendgrid/mail@8"],
        check=True, timeout=200, capture_output=True,
    )  # fmt: skip
    (tmp_path / "send.js").write_text(_NODE)
    # an installation may take longer than a directory nobody polls stays fresh
    http.clinics.directory.poll()
    asked = json.dumps({"url": http.url, "key": http.clinics.secrets["maple"]})
    done = subprocess.run(
        ["node", tmp_path / "send.js", asked], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == 202 and uuid.UUID(said["id"])
    assert said["refused"]["code"] == 400
    assert said["refused"]["errors"][0]["field"] == "tracking_settings.ganalytics"
    first, *several = http.intake.submissions
    assert [r.address for r in first.envelope.recipients] == ["ann@elsewhere.test", "carer@elsewhere.test"]
    assert [one.envelope.recipients[0].address for one in several] == ["ann@elsewhere.test", "bob@elsewhere.test"]
    assert mails(http)[0]["x-visit"] == "7"


UNMEANT = {
    "batch_id": {"batch_id": "abc"},
    "ip_pool_name": {"ip_pool_name": "pool"},
    "asm.group_id": {"asm": {"group_id": 17}},
    "reply_to_list": {"reply_to_list": [{"email": "a@maple.test"}, {"email": "b@maple.test"}]},
    "mail_settings.bypass_list_management": {"mail_settings": {"bypass_list_management": {"enable": True}}},
    "mail_settings.spam_check": {"mail_settings": {"spam_check": {"enable": True, "threshold": 1}}},
    "tracking_settings.open_tracking.substitution_tag": {
        "tracking_settings": {"open_tracking": {"enable": True, "substitution_tag": "%open%"}}
    },
    "tracking_settings.click_tracking.enable_text": {
        "tracking_settings": {"click_tracking": {"enable": True, "enable_text": True}}
    },
    "tracking_settings.ganalytics": {"tracking_settings": {"ganalytics": {"enable": True}}},
    "content.0.type": {"content": [{"type": "text/calendar", "value": "BEGIN:VCALENDAR"}]},
}


@pytest.mark.parametrize("field", UNMEANT)
def test_what_has_no_meaning_here_is_refused_with_what_to_do(http: LiveHttp, plain: dict[str, Any], field: str) -> None:
    status, answer, _ = http.post(PATH, {**plain, **UNMEANT[field]})
    assert status == 400 and field in [one["field"] for one in answer["errors"]]
    assert all(len(one["message"]) > 20 for one in answer["errors"])
    assert not http.intake.submissions


def test_what_is_turned_off_is_no_fault(http: LiveHttp, plain: dict[str, Any]) -> None:
    off = {"enable": False}
    tracking = {"click_tracking": {**off, "enable_text": False}, "open_tracking": off, "subscription_tracking": off}
    asked = {**plain, "tracking_settings": tracking, "mail_settings": {"bypass_list_management": off, "footer": off}}
    assert http.post(PATH, asked)[0] == 202
    assert http.intake.submissions[-1].tracking == TrackingAsk(False, False)


def test_tracking_is_asked_for_and_left_to_the_organisation_where_nothing_is_said(
    http: LiveHttp, plain: dict[str, Any]
) -> None:
    assert http.post(PATH, plain)[0] == 202
    assert http.intake.submissions[-1].tracking is None
    asked = {"tracking_settings": {"click_tracking": {"enable": True}}}
    assert http.post(PATH, {**plain, **asked})[0] == 202
    assert http.intake.submissions[-1].tracking == TrackingAsk(None, True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unheard_of": 1}, None), ({"personalizations": []}, "personalizations"), ({"subject": ""}, "subject"),
        ({"content": []}, "content"), ({"from": {"email": "x"}}, "from.email"),
        ({"content": [{"type": "text/plain", "value": "a"}, {"type": "text/plain", "value": "b"}]}, "content"),
        ({"template_id": "d-nonsense"}, "content"), ({"send_at": 10**18}, "send_at"),
        ({"headers": {"Received": "x"}}, "headers"), ({"headers": {"X-Visit": "a\r\nb"}}, "headers"),
        ({"personalizations": [{}]}, "personalizations.0.to"),
        ({"attachments": [{"content": "", "filename": "a", "type": "pdf"}]}, "attachments"),
        ({"personalizations": [{"to": [{"email": "ann@elsewhere.test"}], "subject": "a\r\nb"}]},
         "personalizations.0.subject"),
    ],
    ids=["unknown", "nobody", "no-subject", "no-content", "from", "twice", "both", "time", "header", "header-value",
         "to", "type", "subject"],
)  # fmt: skip
def test_a_wrong_mail_names_the_field(
    http: LiveHttp, plain: dict[str, Any], change: dict[str, Any], field: str | None
) -> None:
    status, answer, _ = http.post(PATH, {**plain, **change})
    assert status == 400 and answer["errors"][0]["field"] == field
    assert not http.intake.submissions


def test_one_of_many_that_is_refused_is_named_and_the_others_said_to_be_on_their_way(
    http: LiveHttp, plain: dict[str, Any]
) -> None:
    people = [{"to": [{"email": "ann@elsewhere.test"}]}, {"to": [{"email": "no address"}]}]
    status, answer, _ = http.post(PATH, {**plain, "personalizations": people})
    assert status == 400 and len(http.intake.submissions) == 1
    told, wrong = answer["errors"]
    assert told["message"].startswith("1 of 2 personalizations were accepted") and "1.to" in wrong["field"]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(Unavailable("disk", "No room."), 503), (Refused("sender", "Not yours.", status=403), 403)],
    ids=["unavailable", "refused"],
)  # fmt: skip
def test_what_the_door_says_is_said_in_their_shape(
    http: LiveHttp, plain: dict[str, Any], failure: Exception, expected: int
) -> None:
    http.intake.failure = failure
    status, answer, fields = http.post(PATH, plain)
    assert status == expected and answer["errors"][0]["message"]
    assert ("retry-after" in fields) == (expected == 503)


def test_the_same_key_again_sends_nothing_twice(http: LiveHttp, plain: dict[str, Any]) -> None:
    first = http.post(PATH, plain, Idempotency_Key="visit-7")
    again = http.post(PATH, plain, Idempotency_Key="visit-7")
    assert first[2]["x-message-id"] == again[2]["x-message-id"]
    assert len(http.intake.submissions) == 1


def test_a_key_that_may_not_send_and_a_path_that_is_not_there(http: LiveHttp, plain: dict[str, Any]) -> None:
    assert http.post(PATH, plain, key=None)[0] == 401
    status, answer, _ = http.request("GET", "/v3/scopes")
    assert status == 404 and "errors" in answer
    # BI-085: a document with two readings
    doubled = json.dumps(plain).replace('"subject"', '"subject": "Other", "subject"').encode()
    assert http.post(PATH, doubled)[0] == 400


def test_footer_and_sections(http: LiveHttp, plain: dict[str, Any]) -> None:
    asked = {
        **plain,
        "content": [
            {"type": "text/plain", "value": "Dear %name%, %where%"},
            {"type": "text/html", "value": "<body>Hi</body>"},
        ],
        "sections": {"-north-": "come to the north door."},
        "personalizations": [
            {"to": [{"email": "ann@elsewhere.test"}], "substitutions": {"%name%": "Ann", "%where%": "-north-"}}
        ],
        "mail_settings": {"footer": {"enable": True, "text": " Maple Clinic", "html": "<p>Maple Clinic</p>"}},
    }  # fmt: skip
    assert http.post(PATH, asked)[0] == 202
    [mail] = mails(http)
    assert part(mail, "plain").strip() == "Dear Ann, come to the north door. Maple Clinic"
    assert part(mail, "html").strip() == "<body>Hi<p>Maple Clinic</p></body>"
