"""A signing key is rotated and revoked while two engines send: every message is signed by one of the two keys, and
none by a key after its revocation, whatever starts anew."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.smime import identity, opening
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.usable import Trust
from carepost.ground import clock
from tests.support.house import House
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"
WHY = ("--reason", "a story")
#: messages of the stream, and when the key is rotated
STREAM, TURN = 60, 15


@pytest.mark.timeout(400)
def test_rotated_and_revoked_under_a_stream_of_two_engines(tmp_path: Path) -> None:
    house = House(tmp_path, CAREPOST_ENGINES=2)
    with house:
        reader = Reader(house)
        old = _mailkey(house, "add", NORA, "--algorithm", "ec-p256")
        until(lambda: reader.signers(1) == [old["fingerprint"]], within=60, what="mail is signed with the first key")
        # a day of overlap: the former one goes on opening
        turned: list[dict[str, Any]] = []
        turning = threading.Thread(
            target=lambda: turned.append(_mailkey(house, "rotate", old["id"], "--overlap", "1")), daemon=True
        )
        before = reader.count()
        for number in range(STREAM):
            house.send(reader.address, subject=f"Stream {number}")
            if number == TURN:
                turning.start()
        turning.join(60)
        assert turned, "the command came back"
        new = turned[0]
        found = reader.after(before, STREAM)
        # none unsigned, none by another key, and both were at work
        assert set(found) <= {old["fingerprint"], new["fingerprint"]}, found
        assert len(found) == STREAM and found.count(old["fingerprint"]) >= TURN
        until(
            lambda: reader.signers(8) == [new["fingerprint"]] * 8, within=60, what="both engines sign with the new key"
        )
        states = {one["id"]: one["state"] for one in json.loads(house.carepost("mailkey", "list", "--json"))}
        assert states[new["id"]] == "In use" and states[old["id"]] != "In use"

        backup = tmp_path / "before.backup"
        house.carepost("backup", str(backup))

        house.carepost("mailkey", "revoke", new["id"], *WHY)
        until(lambda: reader.signers(8) == [""] * 8, within=60, what="nothing more is signed, in either engine")
        assert set(reader.signers(4)) == {""}, "and not by the former key either"
        house.stop()
        house.start()
        assert set(reader.signers(4)) == {""}, "a start brings no revoked key back"
        assert "Traceback" not in house.logs()
        house.stop()

    # what a backup brings back is what was so then, a revoked key in use again: who restores is told
    kept = tmp_path / "keyring.json"
    shutil.copy(house.path / "keyring.json", kept)
    again = House(tmp_path, CAREPOST_KEYRING=kept)
    again.path = tmp_path / "again"
    said = again.carepost("restore", str(backup))
    assert "keys and credentials revoked may act again" in said
    again.carepost("mailkey", "revoke", new["id"], *WHY)
    states = {one["id"]: one["state"] for one in json.loads(again.carepost("mailkey", "list", "--json"))}
    assert states[new["id"]] == "Revoked"


def _mailkey(house: House, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(house.carepost("mailkey", *words, *WHY, "--json"))
    return made


class Reader:
    """Somebody at smime.test, who opens what comes and looks whose signature is in it."""

    def __init__(self, house: House) -> None:
        self._house = house
        keys = house.path / "sandbox" / "keys"
        names = sorted(path.name for path in keys.glob("*@smime.test.private"))
        self.address = names[0].removesuffix(".private")
        self._identity = identity.load(
            (keys / f"{self.address}.private").read_bytes(), (keys / f"{self.address}.public").read_bytes()
        )

    def count(self) -> int:
        return len(self._house.mails(self.address))

    def signers(self, many: int) -> list[str]:
        """Sends so many messages, and who signed each: a fingerprint, "" where nobody did."""
        before = self.count()
        for number in range(many):
            self._house.send(self.address, subject=f"Letter {number}")
        return self.after(before, many)

    def after(self, before: int, many: int) -> list[str]:
        mails = self._house.arrived(self.address, before + many, within=90.0)
        assert len(mails) == before + many, "none lost, none doubled"
        return [self._signer(mail["id"]) for mail in mails[before:]]

    def _signer(self, mail: str) -> str:
        found = opening.open_(self._house.raw(mail), [self._identity], Trust(TrustStore()), clock.now())
        assert found.verdict.encrypted
        if not found.verdict.signed:
            return ""
        assert not found.verdict.tampered
        (one,) = found.verdict.signers
        assert one.certificate is not None
        return one.certificate.fingerprint
