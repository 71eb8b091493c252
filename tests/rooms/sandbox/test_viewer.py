"""The viewer's JSON and pages over HTTP: bounded, loopback names only, GET only, nothing active from a mail."""

import json
import re
import smtplib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.sandbox import people
from tests.support.sandboxed import LivingWorld

PAYLOAD = (
    '<p id="said">Hello</p><script>document.title="owned"</script><img src="https://evil.example/x.png">'
    '<img src="cid:logo@clinic"><a href="https://portal.clinic.test/m/x">open</a>'
)
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8"
                    "cfc0000003010100c9fe92ef0000000049454e44ae426082")  # fmt: skip


def hostile() -> bytes:
    return compose.build(
        from_=Mailbox("Nora <script>", "nora@clinic.test"),
        to=(Mailbox("", "reader@plain.test"),),
        subject="<b>TEST-0001</b> & more",
        text="Plain https://portal.clinic.test/m/x <script>",
        html=PAYLOAD,
        attachments=(
            compose.Attachment("logo.png", "image/png", PNG, "logo@clinic"),
            compose.Attachment("page.html", "text/html", b"<script>alert(1)</script>"),
        ),
        message_id="<a@clinic.test>",
        at=1_700_000_000_000_000,
    )


def send(living: LivingWorld, to: str, raw: bytes) -> str:
    """The mail's id."""
    host, port = living.world.dial[f"mx.{to.partition('@')[2]}"]
    before = len(living.world.mailbox(to))
    with smtplib.SMTP(host, port, timeout=10) as client:
        client.sendmail("nora@clinic.test", [to], raw)
    return living.arrived(to, before + 1)[-1].id


def get(living: LivingWorld, path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    base = living.world.viewer.removesuffix("/sandbox/")
    request = urllib.request.Request(base + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=70) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def api(living: LivingWorld, path: str) -> Any:
    status, headers, body = get(living, path)
    assert (status, headers["content-type"]) == (200, "application/json")
    return json.loads(body)


def test_programs_find_mailboxes_messages_and_counters(living: LivingWorld) -> None:
    mail_id = send(living, "programs@plain.test", people.mime(people.SAMPLES[6]))
    boxes = api(living, "/sandbox/api/mailboxes")["mailboxes"]
    assert {"address": "programs@plain.test", "domain": "plain.test", "mails": 1}.items() <= next(
        box for box in boxes if box["address"] == "programs@plain.test"
    ).items()
    (message,) = api(living, "/sandbox/api/messages?mailbox=programs%40plain.test")["messages"]
    assert (message["id"], message["kind"], message["tls"], message["complete"]) == (mail_id, "message", "", True)
    assert message["subject"] == people.SAMPLES[6].subject
    assert mail_id in {m["id"] for m in api(living, "/sandbox/api/messages?domain=plain.test")["messages"]}
    assert api(living, "/sandbox/api/messages?mailbox=nobody%40plain.test")["messages"] == []
    counters = api(living, "/sandbox/api/counters")["domains"]["plain.test"]
    assert counters["clear_message_bytes"] >= message["size"]
    status, headers, raw = get(living, f"/sandbox/api/messages/{mail_id}.eml")
    assert (status, headers["content-type"]) == (200, "message/rfc822")
    assert raw == living.world.mailbox("programs@plain.test")[0].raw


def test_waiting_returns_when_mail_arrives(living: LivingWorld) -> None:
    began = time.monotonic()
    late = threading.Timer(0.3, send, (living, "waited@plain.test", hostile()))
    late.start()
    answer = api(living, "/sandbox/api/wait?mailbox=waited%40plain.test&count=1&timeout=30")
    late.join()
    assert answer == {"reached": True, "count": 1}
    assert 0.2 < time.monotonic() - began < 10
    assert api(living, "/sandbox/api/wait?mailbox=waited%40plain.test&count=9&timeout=0.1")["reached"] is False
    assert get(living, "/sandbox/api/wait?count=soon")[0] == 400


def test_pages_escape_what_a_mail_says(living: LivingWorld) -> None:
    mail_id = send(living, "reader@plain.test", hostile())
    boxes = api(living, "/sandbox/api/mailboxes")["mailboxes"]
    box = next(box["page"] for box in boxes if box["address"] == "reader@plain.test")
    assert "reader" not in box
    for path in ("/sandbox/", box, f"/sandbox/messages/{mail_id}"):
        status, headers, body = get(living, path)
        assert status == 200
        assert b"<script" not in body.lower()
        assert b"<b>TEST-0001" not in body
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "script-src" not in policy and "http" not in policy
        assert headers["cache-control"] == "no-store"
        title = re.search(rb"<title>(.*?)</title>", body)
        assert title is not None and b"TEST-0001" not in title[1] and b"@" not in title[1]
    page = get(living, f"/sandbox/messages/{mail_id}")[2]
    assert b"Arrived in clear, no TLS" in page
    assert b'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_the_frame_holds_clean_html_and_nothing_from_elsewhere(living: LivingWorld) -> None:
    mail_id = send(living, "framed@plain.test", hostile())
    status, headers, body = get(living, f"/sandbox/messages/{mail_id}/html")
    assert status == 200
    assert b"<script" not in body
    assert "sandbox allow-popups" in headers["content-security-policy"]
    assert "img-src 'self' data:" in headers["content-security-policy"]
    picture = re.search(rb'src="(/sandbox/messages/[^"]+/parts/\d+)"', body)
    assert picture is not None
    status, headers, content = get(living, picture[1].decode())
    assert (status, headers["content-type"], content) == (200, "image/png", PNG)


def test_attachments_and_source_are_never_active(living: LivingWorld) -> None:
    mail_id = send(living, "files@plain.test", hostile())
    page = get(living, f"/sandbox/messages/{mail_id}")[2].decode()
    link = re.search(r'href="(/sandbox/messages/[^"]+/parts/\d+)">page\.html', page)
    assert link is not None
    status, headers, _ = get(living, link[1])
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert headers["content-disposition"] == 'attachment; filename="page.html"'
    for path in (link[1], f"/sandbox/messages/{mail_id}/raw", f"/sandbox/messages/{mail_id}.eml"):
        headers = get(living, path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
    assert get(living, f"/sandbox/messages/{mail_id}/raw")[1]["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    ["/sandbox/messages/00000000-0000-0000-0000-000000000000", "/sandbox/mailboxes/0000000000000000",
     "/sandbox/messages/../../etc/passwd", "/", "/sandbox/messages/00000000-0000-0000-0000-000000000000/parts/1"],
)  # fmt: skip
def test_what_is_not_there_says_so(living: LivingWorld, path: str) -> None:
    status, _, body = get(living, path)
    assert status == 404
    assert b"All mailboxes" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_get(living: LivingWorld, method: str) -> None:
    assert get(living, "/sandbox/", method)[0] == 405


def test_only_by_a_loopback_name(living: LivingWorld) -> None:
    """DNS rebinding: a page of another site reaches 127.0.0.1 under its own name."""
    assert get(living, "/sandbox/", Host="attacker.example")[0] == 421
    assert get(living, "/sandbox/api/messages", Host="127.0.0.1.attacker.example:80")[0] == 421
    assert get(living, "/sandbox/", Host="localhost:8080")[0] == 200
