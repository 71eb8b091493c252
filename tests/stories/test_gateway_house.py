"""A whole home with a gateway's port: connected by command, taken by an engine, seen by the journal, told again."""

import json
import smtplib
import ssl
from pathlib import Path

import pytest

from tests.support.house import House, free_ports
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"


def letter(value: str = "", sender: str = NORA) -> bytes:
    field = f"X-Carepost-Gateway: {value}\r\n" if value else ""
    return (
        f"{field}From: Nora Sample <{sender}>\r\nTo: mira.owl@verified.test\r\nSubject: An invented matter\r\n\r\n"
        "Nothing real.\r\n"
    ).encode()


def test_from_the_command_to_the_step_that_was_seen(tmp_path: Path) -> None:
    port = free_ports()["mx"]
    with House(tmp_path, CAREPOST_PORT_GATEWAY=port) as house:
        made = json.loads(house.carepost("gateway", "add", "Ours", "--provider", "microsoft365", "--json"))
        house.carepost("gateway", "set", made["id"], "--network-shared", "127.0.0.0/8", "--json")

        def handed(raw: bytes) -> None:
            loose = ssl.create_default_context()
            loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
            with smtplib.SMTP("127.0.0.1", port, local_hostname="outbound.provider.test", timeout=20) as peer:
                peer.starttls(context=loose)
                peer.sendmail(NORA, ["mira.owl@verified.test"], raw)

        def row() -> dict[str, object]:
            (one,) = json.loads(house.carepost("gateway", "list", "--json"))
            return dict(one)

        def takes() -> bool:
            """The engine learns of it within two seconds."""
            try:
                handed(letter(made["value"]))
            except smtplib.SMTPSenderRefused:
                return False
            return True

        until(takes, within=20, what="the engine knows the connection")
        [mail] = house.arrived("mira.owl@verified.test")
        assert made["value"].encode() not in house.raw(mail["id"])
        with pytest.raises(smtplib.SMTPDataError, match="X-Carepost-Gateway"):
            handed(letter())
        until(lambda: bool(row()["last_taken"] and row()["last_refused"]), within=30, what="the journal tells of both")
        # the check goes by an engine to the sandbox's host, over TLS that its CA vouches for; DNS is not set up
        house.carepost("gateway", "set", made["id"], "--host", "mx.verified.test:25", "--json")

        def tried() -> dict[str, str]:
            found = json.loads(house.carepost("gateway", "check", made["id"], "--json", code=1))
            return {one["step"]: one["state"] for one in found}

        until(lambda: tried().get("tls") == "good", within=30, what="the engine knows the host")
        assert tried()["host"] == "good" and tried()["mx"] in ("good", "bad")
        steps = house.carepost("gateway", "steps", made["id"])
        assert "Listening" in steps and "Refused" in steps and made["value"] not in steps
