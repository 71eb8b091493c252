"""The letter that says that keys changed: once, to the organisation's own address, with nobody's name in it."""

from typing import Any

import pytest

from carepost.ground import clock
from carepost.ground.errors import Unavailable
from carepost.keyring import alerts, found
from carepost.keyring.models import RecipientKey
from carepost.tenancy.actions import domains, organisations
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Accepted, Submission
from tests.rooms.keyring.test_found_keys import smime

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


class Door:
    def __init__(self) -> None:
        self.letters: list[Submission] = []
        self.away = False

    def accept(self, submission: Submission) -> Accepted:
        if self.away:
            raise Unavailable("away", "Nobody answers.")
        self.letters.append(submission)
        return Accepted("x", ())


@pytest.fixture
def clinic(cast: Any) -> Any:
    domains.add_domain(cast.clinic, "letters.test", actor=BOOTSTRAP)
    organisations.change_settings(cast.clinic, actor=BOOTSTRAP, alerts="privacy@letters.test")
    return cast.clinic


def test_a_changed_key_is_told_once_without_naming_anybody(clinic: Any) -> None:
    """BI-072: hold and alert."""
    door, now = Door(), clock.now()
    found.take(clinic, smime())
    assert alerts.mail(door, now) == 0, "a key that is used needs nobody"
    found.take(clinic, smime())
    door.away = True
    with pytest.raises(Unavailable):
        alerts.mail(door, now)
    door.away = False
    assert alerts.mail(door, now, "https://console.test") == 1
    assert alerts.mail(door, now + 2 * alerts.HOUR_US) == 0
    (letter,) = door.letters
    text = letter.body.decode()
    assert "Recipients' keys that differ: 1." in text and "https://console.test/certificates?attention=1" in text
    assert "partner" not in text and [r.address for r in letter.envelope.recipients] == ["privacy@letters.test"]
    # another one within the hour waits for the hour's end
    found.take(clinic, smime("wkd", address="jo@elsewhere.test"))
    found.take(clinic, smime("wkd", address="jo@elsewhere.test"))
    assert RecipientKey.objects.filter(state="changed", told_at=0).count() == 1
    assert alerts.mail(door, now + alerts.HOUR_US // 2) == 0
    assert alerts.mail(door, now + 2 * alerts.HOUR_US) == 1
    assert door.letters[0].key != door.letters[1].key


def test_without_an_address_nobody_is_written_to(cast: Any) -> None:
    found.take(cast.harbour, smime())
    found.take(cast.harbour, smime())
    assert alerts.mail(Door(), clock.now()) == 0
