"""A domain's DKIM keys change in a running house: mail verifies at every step, by another implementation."""

import json
import re
import subprocess
import sys
from pathlib import Path

import dkim as dkimpy

from carepost.sandbox import records
from tests.support.house import ROOT, House
from tests.support.waiting import until

TO = "ann@verified.test"


def test_keys_change_step_by_step_and_every_mail_verifies(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        first = shown(house)
        assert signers(house, 1) == set(first["selectors"])
        rotated = json.loads(house.carepost("domain", "rotate", "clinic.test", "--json"))
        assert set(rotated["selectors"]) == set(first["selectors"]) and len(rotated["next"]) == 2
        assert signers(house, 2) == set(first["selectors"]), "nothing is signed with a key nobody can see"

        # DNS does not show them: refused, and mail is signed as before
        refused = run(house, "domain", "switch", "clinic.test")
        assert refused.returncode != 0 and "signed as before" in refused.stderr, refused
        one, *others = [record for record in rotated["records"] if record["name"].split(".")[0] in rotated["next"]]
        publish(house, one)
        assert run(house, "domain", "switch", "clinic.test").returncode != 0, "one of two is not enough"
        assert signers(house, 3) == set(first["selectors"])

        for record in others:
            publish(house, record)
        switched = json.loads(house.carepost("domain", "switch", "clinic.test", "--json"))
        assert set(switched["selectors"]) == set(rotated["next"])
        count = [3]

        def by_the_next() -> bool:
            count[0] += 1
            return signers(house, count[0]) == set(rotated["next"])

        until(by_the_next, within=20, what="engines sign with the next keys (the epoch)")
        phases = {key["selector"]: key["phase"] for key in checked(house)["keys"]}
        assert {phases[selector] for selector in first["selectors"]} == {"old"}
        assert {phases[selector] for selector in rotated["next"]} == {"active"}

        # the former keys are still published: what they signed still verifies
        assert all(signers(house, 0, at) for at in range(count[0]))
        gone = first["selectors"][0]
        house.carepost("domain", "revoke", "clinic.test", gone, "--reason", "the time is over")
        lines = {line["name"]: line["code"] for line in checked(house)["records"]}
        assert lines[f"{gone}._domainkey.clinic.test"] == "still-there"
        publish(house, {"name": f"{gone}._domainkey.clinic.test", "value": "v=DKIM1; p="})
        lines = {line["name"]: line["code"] for line in checked(house)["records"]}
        assert lines[f"{gone}._domainkey.clinic.test"] == "empty"
        for_people(house)
        assert "Traceback" not in house.logs()


def for_people(house: House) -> None:
    """What the command prints: each record with what it is for, and the command for MTA-STS as it can be typed."""
    said = run(house, "domain", "check", "clinic.test").stdout
    for line in checked(house)["records"]:
        assert re.search(rf"(?m)^[A-Z]+ +{line['record']} +{re.escape(line['name'])}  [A-Z][^.]+$", said), said
    for title in ("Who may send (SPF)", "Our signature (DKIM)", "Encryption to you is required (MTA-STS)"):
        assert f"clinic.test  {title}\n" in said, said
    (advice,) = re.findall(r"carepost (domain mta-sts .*)", said)
    assert advice == "domain mta-sts clinic.test testing --mx mx.clinic.test"
    assert json.loads(house.carepost(*advice.split(), "--json"))["mode"] == "testing", "it can be typed as it stands"


def shown(house: House) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(house.carepost("domain", "records", "clinic.test", "--json"))
    return found


def checked(house: House) -> dict[str, list[dict[str, str]]]:
    """Exit 1 while something is not right, as in a sandbox without all records: what was found is printed too."""
    done = run(house, "domain", "check", "clinic.test", "--json")
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


def run(house: House, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "carepost.cli.main", *words, "--home", str(house.path)]
    return subprocess.run(command, env=house.environ, cwd=ROOT, capture_output=True, text=True, timeout=60)


def publish(house: House, record: dict[str, str]) -> None:
    records.publish(house.path / "sandbox", record["name"], "TXT", record["value"])


def signers(house: House, number: int, at: int = -1) -> set[str]:
    """The selectors that signed the mail that arrived last, or before; every signature verifies with what DNS shows.
    `number`: sends one first, which is so many in all."""
    if number:
        house.send(TO)
        house.arrived(TO, count=number)
    mails = sorted(house.mails(TO), key=lambda mail: mail["at"])
    raw = house.raw(mails[at]["id"])
    texts = {f"{one.name}.".encode(): one.text.encode() for one in records.read(house.path / "sandbox")}
    found = re.findall(rb"^DKIM-Signature:(?:.*\r\n(?:[ \t].*\r\n)*)", raw, re.MULTILINE | re.IGNORECASE)
    verifier = dkimpy.DKIM(raw)
    for index in range(len(found)):
        assert verifier.verify(idx=index, dnsfunc=lambda name, timeout=5: texts.get(name)), found[index]
    return {match[1].decode() for one in found if (match := re.search(rb"[ ;]s=([a-z0-9-]+);", one))}
