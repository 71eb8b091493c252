"""Keys near their end, in a whole home: who looks after it is told by letter, once, over a restart too, and hears
nothing more of a key that was replaced."""

import json
from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.smime import identity
from carepost.ground import clock
from tests.support.house import House
from tests.support.waiting import until

ALERTS = "privacy@verified.test"
THEIRS = "testina.sample@verified.test"
WHY = ("--reason", "a story")
DAY_US = 86_400_000_000
AUTHORITY = "The certification authority of your organisation ends soon"
OF_US, OF_THEM = "Keys of your organisation end soon", "Keys of people you write to end soon"


@pytest.mark.timeout(400)
def test_ending_keys_are_told_by_letter_once_and_a_replaced_one_no_more(tmp_path: Path) -> None:
    house = House(tmp_path)
    with house:
        house.carepost("org", "set", "--alerts", ALERTS)
        ours = json.loads(house.carepost("mailkey", "add", "nora.sample@clinic.test", "--days", "5", *WHY, "--json"))
        ending = identity.self_signed(identity.generate("ec-p256"), THEIRS, clock.now() - DAY_US, days=20)
        certificate = tmp_path / "theirs.der"
        certificate.write_bytes(ending.certificate.der)
        house.carepost("certificate", "add", THEIRS, str(certificate), *WHY)
        # what ends is looked for by the hour, and at a start
        house.stop()
        house.start()
        mails = {one["subject"]: house.raw(one["id"]).decode() for one in letters(house, OF_US, OF_THEM)}
        assert "Keys: 1." in mails[OF_US] and "ends in 4 days" in mails[OF_US], mails[OF_US]
        assert "carepost mailkey rotate" in mails[OF_US] and "nora" not in mails[OF_US]
        assert "Keys: 1." in mails[OF_THEM] and "ends in 18 days" in mails[OF_THEM], mails[OF_THEM]
        assert "testina" not in mails[OF_THEM]

        house.carepost("mailkey", "rotate", ours["id"], *WHY)
        # told of after own keys, in the same look: once this letter is here, none of those is on its way
        house.carepost("authority", "make", "--algorithm", "ec-p384", "--days", "20", *WHY)
        house.stop()
        house.start()
        letters(house, AUTHORITY)
        # what the sandbox received is in memory alone: nothing of before the restart stands here
        assert [one["subject"] for one in house.mails(ALERTS) if one["subject"] in (OF_US, OF_THEM)] == []
        assert "Traceback" not in house.logs()


def letters(house: House, *subjects: str) -> list[dict[str, Any]]:
    """All with these subjects, once each has come. Others may come to the same address, from a house under load."""

    def come() -> list[dict[str, Any]]:
        return [mail for mail in house.mails(ALERTS) if mail["subject"] in subjects]

    until(
        lambda: {mail["subject"] for mail in come()} == set(subjects), within=120, what="the letters come",
        told=lambda: f"{[mail['subject'] for mail in house.mails(ALERTS)]}\n{house.logs()[-900:]}",
    )  # fmt: skip
    return come()
