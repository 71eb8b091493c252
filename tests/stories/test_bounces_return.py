"""Mail that a real MX (Postfix) takes and gives back later: the report comes home by SMTP, is understood, the address
that is gone is written to no more, and a program is told. What somebody forges changes nothing (BI-028)."""

import json
import re
import smtplib
from pathlib import Path
from typing import Any

from carepost.sandbox.ca import Authority
from tests.support.house import ENGINE_ONLY, House
from tests.support.receiver import Receiver, receiver
from tests.support.remote_mx import FAR, SLOW, RemoteMx
from tests.support.waiting import until

RETURNS = "bounce.clinic.test"
GONE, LISTED, FULL, NOBODY, OPEN = (f"{name}@{FAR}" for name in ("gone", "listed", "full", "nobody", "open"))
ANN = "ann.kept@verified.test"
NORA = "nora.sample@clinic.test"
#: what each report is taken for: reason and class
MEANT = {
    GONE: ("user-unknown", "hard"), LISTED: ("reputation", "block"), FULL: ("mailbox-full", "soft"),
    NOBODY: ("user-unknown", "hard"),
}  # fmt: skip


def report(about: str, message_id: str) -> bytes:
    """Well formed, and untrue."""
    return (
        "From: MAILER-DAEMON@mx.far.test\r\nTo: somebody@clinic.test\r\nSubject: Undelivered Mail Returned\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nNo such user.\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.far.test\r\n\r\n"
        f"Final-Recipient: rfc822; {about}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {message_id}\r\nTo: {about}\r\n\r\n--b--\r\n"
    ).encode()


def brought(house: House, raw: bytes, to: str) -> int:
    with smtplib.SMTP("127.0.0.1", house.ports["mx"], local_hostname="mx.far.test", timeout=20) as peer:
        peer.ehlo()
        assert peer.mail("")[0] == 250
        code, _ = peer.rcpt(to)
        return peer.data(raw)[0] if code == 250 else code


def listed(house: House) -> dict[str, tuple[str, str]]:
    rows = json.loads(house.carepost("suppression", "list", "--org", "demo", "--json"))
    return {row["address"]: (row["reason"], row["source"]) for row in rows}


def told(there: Receiver, kind: str) -> dict[str, dict[str, Any]]:
    """By message."""
    bodies = [json.loads(one.body) for one in there.told]
    return {one["data"]["message_id"]: one["data"] for one in bodies if one["type"] == kind}


def test_what_a_real_mx_gives_back_ends_with_the_address_and_what_is_forged_ends_nothing(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        house = House(tmp_path, *ENGINE_ONLY, "journal", "staff")
        both = tmp_path / "both.pem"
        both.write_text(Path(there.ca).read_text() + Authority(house.path / "sandbox" / "tls").ca_file.read_text())
        house.environ["CAREPOST_OUTBOUND_CA"] = str(both)
        with RemoteMx(tmp_path / "mx", RETURNS, house.ports["mx"]) as far, house:
            house.carepost("suppression", "return-path", RETURNS, "--org", "demo", "--reason", "the story")
            house.carepost("route", "add", FAR, f"localhost:{far.port}", "--ca", str(far.ca), "--org", "demo")
            house.carepost("webhook", "add", there.url, "--event", "delivery.*", "--org", "demo", "--json")
            until(lambda: knows(house), within=20, what="the engine knows the routes and the return path")
            sent = {house.send(to)["id"]: to for to in (*MEANT, OPEN)}

            def bounced() -> bool:
                return len(told(there, "delivery.bounced").keys() & sent.keys()) == len(MEANT)

            until(bounced, within=60, what="each bounce was told", told=lambda: seen(there, far))
            meant = {
                sent[id_]: (data["bounce"], data["bounce_class"])
                for id_, data in told(there, "delivery.bounced").items() if id_ in sent
            }  # fmt: skip
            assert meant == MEANT
            assert "open" in far.boxes(), "what can be delivered is"
            assert listed(house) == {GONE: ("bounce", "report"), NOBODY: ("bounce", "report")}
            follows(house, far)
            forged(house, far)
            complained(house)
            assert "Traceback" not in house.logs()


def test_what_a_real_mx_reports_of_the_way_on_is_evidence_and_its_asker_is_told(tmp_path: Path) -> None:
    """RFC 3461: the submitter's NOTIFY goes on to the next system, whose reports come to our return path. They stand
    beside what is known, and the submitter gets them; whoever has no signed address of ours changes nothing."""
    house = House(tmp_path, *ENGINE_ONLY, "journal", "staff")
    with RemoteMx(tmp_path / "mx", RETURNS, house.ports["mx"]) as far, house:
        house.carepost("suppression", "return-path", RETURNS, "--smtp", "yes", "--org", "demo", "--reason", "story")
        house.carepost("route", "add", FAR, f"localhost:{far.port}", "--ca", str(far.ca), "--org", "demo")
        until(lambda: knows(house), within=20, what="the engine knows the routes and the return path")
        submitted(house, OPEN, SLOW, notify="SUCCESS,DELAY")
        slow = house.send(SLOW)["id"]
        wanted = {(OPEN.encode(), b"relayed"), (SLOW.encode(), b"delayed")}
        until(lambda: wanted <= asked_for(house), within=60, what="the submitter was told", told=far.log)
        assert {action for _, action in asked_for(house)} == {b"relayed", b"delayed"}
        until(lambda: reported(house, slow), within=30, what="the API tells of the delay")
        [delay] = reported(house, slow)
        assert delay["cause"] == "delayed" and delay["until"] > "2026", "Postfix says until when it tries"
        assert state_of(house, slow) == "sent"
        said = house.carepost("arrived", OPEN, "--org", "demo")
        assert "reported that it delivered it to the mailbox." in said and "its own word" in said
        assert "had not delivered it yet, and that it would try until" in house.carepost(
            "arrived", SLOW, "--org", "demo"
        )
        assert listed(house) == {}
        unsigned(house, far)
        assert "Traceback" not in house.logs()


def unsigned(house: House, far: RemoteMx) -> None:
    """BI-028: well-formed reports of success to addresses nobody signed, one of them nearly ours."""
    ann = house.send(ANN)["id"]
    house.arrived(ANN)
    token = re.findall(rf"to=<(b-[a-z0-9]+)@{re.escape(RETURNS)}>", far.log())[0]
    turned = token[:-6] + "".join("a" if one != "a" else "b" for one in token[-6:])
    raw = report(ANN, f"<{ann}@clinic.test>").replace(b"Action: failed", b"Action: delivered")
    for to in (f"{turned}@{RETURNS}", "notice@clinic.test"):
        assert brought(house, raw.replace(b"Status: 5.1.1", b"Status: 2.0.0"), to) == 250
    # what comes after them has been read: so have they
    again = house.send(SLOW)["id"]
    until(lambda: reported(house, again), within=30, what="the next report is on record")
    assert reported(house, ann) == [] and state_of(house, ann) == "sent"


def asked_for(house: House) -> set[tuple[bytes, bytes]]:
    """Recipient and action of each report that the submitter got, but of failures before the routes were known."""
    raw = b"".join(house.raw(mail["id"]) for mail in house.mails(NORA))
    return set(re.findall(rb"Final-Recipient: rfc822; (\S+)\r\nAction: (relayed|delayed|delivered)", raw))


def submitted(house: House, *to: str, notify: str) -> None:
    """By a program that speaks SMTP and asks for reports."""
    assert house.made is not None
    mail = f"From: {NORA}\r\nTo: {to[0]}\r\nSubject: An invented matter\r\n\r\nNothing real.\r\n"
    with smtplib.SMTP("127.0.0.1", house.ports["submission"], timeout=30) as peer:
        peer.starttls()
        peer.login(house.made.smtp_username, house.made.smtp_password)
        assert peer.sendmail(NORA, to, mail, rcpt_options=(f"NOTIFY={notify}",)) == {}


def reported(house: House, id_: str) -> list[dict[str, Any]]:
    status, answer = house.request("GET", f"/api/v1/messages/{id_}")
    notes = answer["deliveries"][0]["notes"] if status == 200 else []
    return [note for note in notes if note["kind"] == "delivery.reported"]


def seen(there: Receiver, far: RemoteMx) -> str:
    return f"{sorted(json.loads(one.body)['type'] for one in there.told)} {far.log()[-600:]}"


def knows(house: House) -> bool:
    """A copy to the MX's own mailbox leaves by it, under a signed sender."""
    id_ = house.send(OPEN)["id"]
    state = until(lambda: state_of(house, id_) in ("sent", "failed", "held"), within=20, what="it ended")
    return bool(state) and state_of(house, id_) == "sent"


def state_of(house: House, id_: str) -> str:
    status, answer = house.request("GET", f"/api/v1/messages/{id_}")
    return str(answer["deliveries"][0]["state"]) if status == 200 else ""


def follows(house: House, far: RemoteMx) -> None:
    """The next message to an address that is gone does not leave, and says why: alone it is refused, among others its
    delivery ends as suppressed."""
    body = {"from": "nora.sample@clinic.test", "to": [GONE], "subject": "An invented matter", "text": "Nothing real."}

    def refused() -> bool:
        status, answer = house.request("POST", "/api/v1/messages", body)
        return status == 422 and str(answer["type"]).endswith(":suppressed")

    until(refused, within=20, what="the engine knows the list (its epoch)")
    before = far.log().count("from=<b-")
    status, answer = house.request("POST", "/api/v1/messages", body | {"to": [ANN, NOBODY]})
    assert status == 202, answer

    def states() -> list[str]:
        status, found = house.request("GET", f"/api/v1/messages/{answer['id']}")
        return sorted(one["state"] for one in found["deliveries"]) if status == 200 else []

    until(lambda: states() == ["sent", "suppressed"], within=30, what="one is sent, the other kept back")
    assert far.log().count("from=<b-") == before, "nothing more left for them"


def forged(house: House, far: RemoteMx) -> None:
    """BI-028: a token that is not ours, one of ours for somebody else's address, a report to the notices' address."""
    ann = house.send(ANN)["id"]
    house.arrived(ANN)
    token = re.findall(rf"to=<(b-[a-z0-9]+)@{re.escape(RETURNS)}>", far.log())[0]
    turned = token[:-6] + "".join("a" if one != "a" else "b" for one in token[-6:])
    codes = [
        brought(house, report(ANN, f"<{ann}@clinic.test>"), f"{turned}@{RETURNS}"),
        brought(house, report(ANN, "<01990000-0000-7000-8000-000000000000@clinic.test>"), "notice@clinic.test"),
        brought(house, report(ANN, f"<{ann}@elsewhere.test>"), f"b-{'a' * (len(token) - 2)}@{RETURNS}"),
    ]
    assert codes == [250] * 3, "taken, so that nobody learns what is a token of ours"
    # a signed path is about its own delivery, whomever the text names, and that one has come back already
    assert brought(house, report(ANN, f"<{ann}@clinic.test>"), f"{token}@{RETURNS}") == 250
    again = house.send(ANN)["id"]
    until(
        lambda: state_of(house, again) == "sent", within=30, what="who was named in forged reports gets mail as before"
    )
    assert listed(house) == {GONE: ("bounce", "report"), NOBODY: ("bounce", "report")}


def complained(house: House) -> None:
    """A provider that hides who complained and the links leaves a message's number, which is ours by every door."""
    id_ = house.send(ANN, subject="Complained of")["id"]
    until(lambda: state_of(house, id_) == "sent", within=30, what="it arrived")
    [mail] = [one for one in house.arrived(ANN) if b"Complained of" in house.raw(one["id"])]
    [number] = re.findall(rb"(?m)^Message-ID: (<.*>)\r?$", house.raw(mail["id"]))
    assert number == f"<{id_}@clinic.test>".encode()
    report = (
        'From: fbl@far.test\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: nora.sample@clinic.test\r\nMessage-ID: {number.decode()}"
        "\r\n\r\nredacted\r\n--b--\r\n"
    )
    assert brought(house, report.encode(), f"feedback@{RETURNS}") == 250
    until(lambda: listed(house).get(ANN) == ("complaint", "complaint"), within=20, what="the complaint counts")
