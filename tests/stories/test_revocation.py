"""A key or a credential is taken back while it is in use: it ends within 2 s, in the middle of a session too."""

import base64
import json
import time
from pathlib import Path

from tests.support.house import ENGINE_ONLY, House
from tests.support.mailers import Gone, Smtp, mail
from tests.support.waiting import until

WITHIN = 2.0


def test_what_is_revoked_ends_within_two_seconds(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY) as house:
        smtp = Smtp(house)
        assert _sends(smtp, "before@verified.test") == 250
        house.send("before.rest@verified.test")
        [key] = json.loads(house.carepost("key", "list", "--json"))
        house.carepost("key", "revoke", key["id"], "--reason", "an invented leak")
        revoked = time.monotonic()
        until(lambda: _posts(house) == 401, within=WITHIN, what="the key is refused")
        house.carepost("credential", "revoke", house.made.smtp_username, "--reason", "an invented leak")
        revoked = time.monotonic()
        until(lambda: _sends(smtp, "after@verified.test") >= 500, within=WITHIN, what="the open session is refused")
        assert time.monotonic() - revoked < WITHIN + 1
        # and for good: nor may it sign in again
        assert _signs_in(house) == 535
        assert _posts(house) == 401
        # what it had handed over before is the organisation's, and was delivered
        house.arrived("before@verified.test")
        house.arrived("before.rest@verified.test")


def _posts(house: House) -> int:
    body = {"from": "nora.sample@clinic.test", "to": ["after.rest@verified.test"], "subject": "x", "text": "y"}
    return house.request("POST", "/api/v1/messages", body)[0]


def _sends(smtp: Smtp, to: str) -> int:
    """The code that decided."""
    try:
        for command in smtp.envelope(to):
            smtp.say(command)
            code, _ = smtp.reply()
            if code >= 400:
                smtp.say("RSET")
                smtp.reply()
                return code
        smtp.say(mail(to), b".\r\n")
        return smtp.reply()[0]
    except Gone:
        return 521


def _signs_in(house: House) -> int:
    smtp = Smtp(house, authenticate=False)
    made = house.made
    smtp.say("AUTH PLAIN " + base64.b64encode(f"\0{made.smtp_username}\0{made.smtp_password}".encode()).decode())
    return smtp.reply()[0]
