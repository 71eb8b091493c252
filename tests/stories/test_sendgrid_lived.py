"""A program written for SendGrid, with host and key changed alone, over a day with a real home: its template, its mail,
its events with their signature over a change of secret, its suppressions."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from python_http_client.exceptions import NotFoundError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook
from sendgrid.helpers.mail import Asm, Email, Mail, Personalization

from carepost.sandbox.ca import Authority
from tests.support.house import House
from tests.support.receiver import Receiver, receiver
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"
SCOPES = ("send", "suppressions", "templates")


@pytest.mark.timeout(300)
def test_a_program_written_for_sendgrid_lives_here(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        house = House(tmp_path)
        both = tmp_path / "both.pem"
        both.write_text(Path(there.ca).read_text() + Authority(house.path / "sandbox" / "tls").ca_file.read_text())
        house.environ["CAREPOST_OUTBOUND_CA"] = str(both)
        with house:
            added = house.carepost("webhook", "add", there.url, "--format", "sendgrid", "--org", "demo", "--json")
            made = json.loads(added)
            scopes = [word for one in SCOPES for word in ("--scope", one)]
            secret = json.loads(house.carepost("key", "add", "old program", *scopes, "--json"))["secret"]
            sg = SendGridAPIClient(secret, host=f"http://127.0.0.1:{house.ports['api']}")

            template = json.loads(
                sg.client.templates.post(request_body={"name": "Reminder", "generation": "dynamic"}).body
            )
            version = {
                "active": 1, "name": "first", "subject": "Visit of {{name}}", "template_id": template["id"],
                "html_content": "<p>Dear {{name}}, see you.</p>", "plain_content": "Dear {{name}}, see you.",
            }  # fmt: skip
            assert sg.client.templates._(template["id"]).versions.post(request_body=version).status_code == 201

            people = {"ann@verified.test": "Ann", "bob@verified.test": "Bob", "gone@bounce.test": "Cal"}
            asked = Mail(from_email=NORA)
            for address, name in people.items():
                one = Personalization()
                one.add_to(Email(address))
                one.dynamic_template_data = {"name": name}
                asked.add_personalization(one)
            asked.template_id = template["id"]
            answer = until(lambda: sent(sg, asked), within=40, what="the engine knows the template")
            (ann,), (bob,) = house.arrived("ann@verified.test"), house.arrived("bob@verified.test")
            assert (ann["subject"], bob["subject"]) == ("Visit of Ann", "Visit of Bob")
            assert "Dear Ann, see you." in house.raw(ann["id"]).decode()

            seen = until(lambda: ends(there, 3), within=120, what="each one's end is told")
            assert sorted(seen) == ["bounce", "delivered", "delivered"], [call.body for call in there.told]
            told = list(there.told)
            assert any(one["sg_message_id"].startswith(answer) for call in told for one in json.loads(call.body))
            for call in told:
                assert verified(made["sendgrid"], call), "its own helper takes the signature"
                assert not verified(made["sendgrid"], call, call.body + b" "), "and no other body"
            assert not any(word in call.body for call in told for word in (b"verified.test", b"bounce.test", b"Ann"))

            # what bounced stands on its list, and goes from there
            bounces = until(lambda: found(sg, "gone@bounce.test"), within=60, what="it is on the list")
            assert bounces[0]["reason"] and bounces[0]["created"]
            asked = Mail(NORA, "gone@bounce.test", "Again", "See you.")
            until(lambda: foreseen(house, "gone@bounce.test") == "suppressed", within=40, what="the engine knows it")
            assert status(sg, asked) == 400
            gone = sg.client.suppression.bounces._("gone@bounce.test")
            assert gone.delete(request_body={}).status_code == 204
            with pytest.raises(NotFoundError):
                gone.delete(request_body={})
            until(
                lambda: foreseen(house, "gone@bounce.test") == "queued",
                within=40,
                what="the engine knows that it is off",
            )
            assert status(sg, asked) == 202

            # who unsubscribed from marketing gets reminders all the same
            listed = sg.client.asm.groups._(2).suppressions.post(
                request_body={"recipient_emails": ["ann@verified.test"]}
            )
            assert listed.status_code == 201
            news = Mail(NORA, "ann@verified.test", "News", "Nothing real.")
            news.asm = Asm(2)
            asking = {"category": "marketing"}
            until(lambda: foreseen(house, "ann@verified.test", **asking) == "suppressed", within=40, what="so too here")
            assert status(sg, news) == 400
            assert status(sg, Mail(NORA, "ann@verified.test", "Your visit", "See you.")) == 202
            assert {mail["subject"] for mail in house.arrived("ann@verified.test", 2)} == {"Visit of Ann", "Your visit"}
            assert "Traceback" not in house.logs()


def sent(sg: SendGridAPIClient, asked: Mail) -> str:
    """Id of its message; "" while it is refused."""
    try:
        answer = sg.send(asked)
    except Exception as error:
        if getattr(error, "status_code", 0) != 400:
            raise
        return ""
    assert answer.status_code == 202 and answer.body == b""
    return str(answer.headers["X-Message-Id"])


def foreseen(house: House, address: str, **more: str) -> str:
    asked = {"from": NORA, "to": [address], "subject": "Question", "text": "Hello.", **more}
    status, answer = house.request("POST", "/api/v1/protection/preview", asked)
    assert status == 200, answer
    return str(answer["deliveries"][0]["state"])


def status(sg: SendGridAPIClient, asked: Mail) -> int:
    try:
        return int(sg.send(asked).status_code)
    except Exception as error:
        return int(getattr(error, "status_code", 0))


def found(sg: SendGridAPIClient, address: str) -> list[dict[str, Any]]:
    listed = json.loads(sg.client.suppression.bounces.get().body)
    return [one for one in listed if one["email"] == address]


def ends(there: Receiver, count: int) -> list[str]:
    """How each recipient's first mail ended, once so many are told."""
    last: dict[str, str] = defaultdict(str)
    for call in list(there.told):
        for one in json.loads(call.body):
            if one["event"] in ("delivered", "bounce", "dropped"):
                last[one["sg_event_id"]] = one["event"]
    return list(last.values()) if len(last) >= count else []


def verified(public: str, call: Any, body: bytes | None = None) -> bool:
    return bool(
        EventWebhook(public).verify_signature(
            (call.body if body is None else body).decode(), call.headers["X-Twilio-Email-Event-Webhook-Signature"],
            call.headers["X-Twilio-Email-Event-Webhook-Timestamp"],
        )
    )  # fmt: skip
