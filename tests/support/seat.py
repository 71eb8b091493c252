"""Staff before the live console: comes in by the one-time link, with a password and an authenticator app."""

import base64
import re

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from carepost.ground import clock
from tests.support.house import House
from tests.support.visitor import Shown, Visitor

PASSWORD = "correct horse zebra staple"
#: of the organisation that a sandbox home begins with
ADMINISTRATOR = "administrator@clinic.test"
_SECRET = re.compile(r'<span class="cs-mono">([A-Z2-7]{16,})</span>')


class Seat(Visitor):
    """The administrator of a sandbox house, signed in once it was made."""

    def __init__(self, house: House, *, link: str = "", email: str = ADMINISTRATOR) -> None:
        super().__init__(house, "console")
        link = link or house.made.welcome
        self._done(self.post(link, email=email, password=PASSWORD, again=PASSWORD))
        shown = self.get("/security/app")
        found = _SECRET.search(shown.text)
        assert found, "no key for an app"
        app = TOTP(base64.b32decode(found[1] + "=" * (-len(found[1]) % 8)), 6, SHA1(), 30)
        self._done(self.post("/security/app", seen=shown, code=app.generate(clock.now() // 1_000_000).decode()))

    def _done(self, shown: Shown) -> None:
        assert shown.status in (302, 303), (shown.status, re.sub(r"<[^>]+>", " ", shown.text)[-1500:])


def second_seat(house: House) -> Seat:
    """Ben, an operator, beside the administrator."""
    added = house.carepost("staff", "add", "ben@clinic.test", "--name", "Ben Finch", "--role", "operator")
    link = re.search(r"https?://[^/\s]+(/\S+)", added)
    assert link, added
    return Seat(house, link=link[1], email="ben@clinic.test")
