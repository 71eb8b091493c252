"""The organisation's own keys in a whole house: the master key moves into a token, mail is signed, a backup brings the
keys back; and a token that does not open ends a start with one sentence."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.smime import identity, opening
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.usable import Trust
from carepost.ground import clock
from tests.support.house import ROOT, House
from tests.support.waiting import until

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, TOKEN = "invented-pin-of-a-house", "carepost-house"
NORA = "nora.sample@clinic.test"
WHY = ("--reason", "a story")


def token(folder: Path) -> dict[str, Any]:
    """A real PKCS#11 token in software, and the variables by which Carepost comes to it."""
    (folder / "tokens").mkdir()
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    command = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "so-invented"]
    environ = {**os.environ, "SOFTHSM2_CONF": str(conf)}
    subprocess.run(command, check=True, capture_output=True, timeout=30, env=environ)
    return {"SOFTHSM2_CONF": conf, "CAREPOST_KEYRING_SECRET": PIN}


@pytest.mark.timeout(300)
def test_the_master_key_in_a_token_mail_signed_and_all_of_it_back_from_a_backup(tmp_path: Path) -> None:
    secrets = token(tmp_path)
    house = House(tmp_path, **secrets)
    to_token = ("--to", "pkcs11", "--module", MODULE, "--token", TOKEN, "--key", "carepost", "--make-key")
    moved = json.loads(house.carepost("keyring", "move", *to_token, "--json"))
    assert moved["provider"] == "pkcs11"
    assert PIN not in (house.path / "keyring.json").read_text()
    with house:
        assert any(f"PKCS#11 token {TOKEN}" in one["what"] for one in json.loads(house.carepost("doctor", "--json")))
        made = json.loads(house.carepost("mailkey", "add", NORA, "--algorithm", "ec-p256", *WHY, "--json"))
        office = json.loads(
            house.carepost("mailkey", "add", "office@clinic.test", "--method", "openpgp", "--shared", *WHY, "--json")
        )
        until(lambda: _signed(house, made["fingerprint"]), within=30, what="mail by S/MIME is signed with her key")
        # by the journal's chores, once a minute
        until(lambda: _used(house) == {made["id"]}, within=200, what="and that is on record")
        file = tmp_path / "house.backup"
        house.carepost("backup", str(file))
        assert "Traceback" not in house.logs() and PIN not in house.logs()
        house.stop()

    wrong = {**house.environ, "CAREPOST_KEYRING_SECRET": "another-invented-pin"}
    refused = subprocess.run(house.command(), env=wrong, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "does not take this PIN" in refused.stderr
    assert refused.stderr.count("\n") == 1 and "another-invented-pin" not in refused.stderr

    kept = tmp_path / "keyring.json"
    shutil.copy(house.path / "keyring.json", kept)
    again = House(tmp_path, CAREPOST_KEYRING=kept, **secrets)
    again.path = tmp_path / "again"
    again.carepost("restore", str(file), "--json")
    listed = {one["id"]: one for one in json.loads(again.carepost("mailkey", "list", "--json"))}
    assert listed[made["id"]]["state"] == listed[office["id"]]["state"] == "In use"
    again.carepost("mailkey", "revoke", office["id"], *WHY)
    published = pgp_certificate.read(again.carepost("mailkey", "export", office["id"]).encode())
    assert published.revoked, "its private part came back: only that can revoke"


def _signed(house: House, fingerprint: str) -> bool:
    """A message that arrives at smime.test opens, and holds a good signature of this certificate."""
    address = _reader(house)
    before = len(house.mails(address))
    house.send(address, subject="Signed and sealed")
    mail = house.arrived(address, before + 1)[-1]
    keys = house.path / "sandbox" / "keys"
    reader = identity.load((keys / f"{address}.private").read_bytes(), (keys / f"{address}.public").read_bytes())
    trust = Trust(TrustStore(), pinned=frozenset({fingerprint}))
    found = opening.open_(house.raw(mail["id"]), [reader], trust, clock.now())
    assert found.verdict.encrypted
    return found.verdict.valid and found.verdict.signers[0].certificate is not None


def _used(house: House) -> set[str]:
    """Keys that signed something, as the list says."""
    return {one["id"] for one in json.loads(house.carepost("mailkey", "list", "--json")) if one["used"]}


def _reader(house: House) -> str:
    names = sorted(path.name for path in (house.path / "sandbox" / "keys").glob("*@smime.test.private"))
    return names[0].removesuffix(".private")


def test_a_key_of_a_keyring_in_clear_is_not_changed_by_a_move_that_fails(tmp_path: Path) -> None:
    house = House(tmp_path)
    before = (house.path / "keyring.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "keyring", "move", "--home", str(house.path), "--to", "vault",
         "--url", "https://127.0.0.1:9", "--key", "carepost"],
        env={**house.environ, "CAREPOST_KEYRING_SECRET": "x"}, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2 and "cannot be reached" in done.stderr and done.stderr.count("\n") == 1
    assert (house.path / "keyring.json").read_bytes() == before
