"""`carepost certificate` on a real home, as an administrator types it."""

import json
from pathlib import Path

from carepost.wire.found import SOURCES
from tests.rooms.keyring.test_recipient_keys import BO, openpgp, smime
from tests.rooms.tenancy.test_commands import Terminal, expect, installed, terminal
from tests.support.smime import Authority

__all__ = ["installed", "terminal"]


def test_from_the_first_certificate_to_an_import(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    assert "No certificate" in terminal.ok("certificate", "list")
    file = tmp_path / "bo.pem"
    file.write_bytes(smime())
    said = terminal.ok("certificate", "add", BO, str(file), "--reason", "read to me by telephone")
    assert "can be encrypted by S/MIME from now on" in said
    assert "Fingerprint: " in said
    (row,) = json.loads(terminal.ok("certificate", "list", BO, "--json"))
    assert (row["address"], row["method"], row["state"]) == (BO, "S/MIME", "In use")
    assert "handed in by an administrator" in terminal.ok("certificate", "list")
    assert "No certificate" in terminal.ok("certificate", "list", "cy@partner.test")

    assert "Nothing is encrypted" in terminal.ok("certificate", "distrust", row["id"], "--reason", "stolen laptop")
    assert json.loads(terminal.ok("certificate", "list", "--json"))[0]["state"] == "Distrusted"
    assert "distrusted" in terminal.refused("certificate", "pin", row["id"], "--reason", "oops")
    again = json.loads(terminal.ok("certificate", "add", BO, str(file), "--reason", "found again", "--json"))
    assert again["id"] == row["id"]
    assert json.loads(terminal.ok("certificate", "pin", row["id"], "--reason", "sure", "--json"))["pinned"] is True

    folder = tmp_path / "several"
    folder.mkdir()
    (folder / f"{BO}.pem").write_bytes(smime())
    (folder / "cy@partner.test.asc").write_bytes(openpgp("cy@partner.test"))
    (folder / "notes.txt").write_text("who is who")
    words = ("certificate", "import", str(folder), "--reason", "yearly")
    status, said = terminal(*words, "--dry-run", "--json")
    assert status == 1, "one of them is refused"
    assert {one["address"]: one["result"] for one in json.loads(said)["lines"]} == {
        BO: "replaces another", "cy@partner.test": "added", "notes.txt": "refused",
    }  # fmt: skip
    assert len(json.loads(terminal.ok("certificate", "list", "--json"))) == 1
    status, said = terminal(*words)
    assert (status, "2 in order, 1 refused. They are used from now on." in said) == (1, True)
    assert len(json.loads(terminal.ok("certificate", "list", "--json"))) == 3
    assert len(json.loads(terminal.ok("certificate", "list", "--limit", "2", "--json"))) == 2

    table = tmp_path / "who.csv"
    table.write_text(f"address,file\n{BO},bo.pem\ndi@partner.test,nowhere.pem\n")
    status, said = terminal("certificate", "import", str(table), "--reason", "by table", "--dry-run")
    assert status == 1
    assert "nowhere.pem is not there" in said
    assert "Nothing was changed: this was a dry run." in said


def test_what_is_wrong_is_one_sentence(terminal: Terminal, tmp_path: Path) -> None:
    # of this module; another test may have made it before
    terminal("org", "add", "willow", "--name", "Willow Clinic")
    file = tmp_path / "x.pem"
    file.write_bytes(smime("eve@elsewhere.test"))
    table = tmp_path / "table.csv"
    table.write_text("address,file\nbo@there.test\n")
    for sentence, words in {
        "cannot be read": ("add", BO, str(tmp_path / "nowhere.pem"), "--reason", "r"),
        "made for another address": ("add", BO, str(file), "--reason", "r"),
        "must not be empty": ("add", BO, str(file), "--reason", " "),
        "not the id": ("distrust", "first", "--reason", "r"),
        "no such certificate": ("pin", "00000000-0000-7000-8000-000000000000", "--reason", "r"),
        "no such page": ("list", "--after", "2"),
        "--limit": ("list", "--limit", "0"),
        "not a table": ("import", str(file), "--reason", "r"),
        "does not say an address": ("import", str(table), "--reason", "r"),
    }.items():
        assert sentence in expect(terminal, "certificate", *words), words


def test_sources_and_authorities_as_the_console_sets_them(terminal: Terminal, tmp_path: Path) -> None:
    terminal("org", "add", "willow", "--name", "Willow Clinic")
    before = json.loads(terminal.ok("certificate", "sources", "--json"))
    assert {row["name"] for row in before if row["kind"] == "source"} == set(SOURCES)
    words = ("set-sources", "smimea", "wkd", "--unknown-ok", "--reason", "asked of our partner")
    assert "smimea, wkd" in terminal.ok("certificate", *words)
    rows = json.loads(terminal.ok("certificate", "sources", "--json"))
    used = {row["name"] for row in rows if row["used"]}
    assert used == {"smimea", "wkd", "use"}
    assert "Sources are:" in terminal.refused("certificate", "set-sources", "rumour", "--reason", "heard")
    file = tmp_path / "authority.der"
    file.write_bytes(Authority("Partner CA").der)
    (made,) = json.loads(terminal.ok("certificate", "believe", str(file), "--reason", "read aloud", "--json"))[
        "authorities"
    ]
    assert "Partner CA" in terminal.ok("certificate", "sources")
    assert "believed already" in terminal.refused("certificate", "believe", str(file), "--reason", "again")
    terminal.ok("certificate", "disbelieve", made["id"], "--reason", "closed")
    assert "Partner CA" not in terminal.ok("certificate", "sources")
    assert "nowhere" in terminal.ok("certificate", "set-sources", "--reason", "none of it")


def test_what_still_stands_under_a_former_index_key(terminal: Terminal) -> None:
    terminal("org", "add", "willow", "--name", "Willow Clinic")
    terminal.ok("suppression", "add", BO)
    terminal.ok("org", "rotate-key", "index", "--reason", "yearly")
    rows = {(row["purpose"], row["version"]): row for row in json.loads(terminal.ok("org", "keys", "--json"))}
    # certificates of the tests before may stand there too
    assert rows["index", 1]["still_under_it"].startswith("suppression list: 1")
    assert rows["index", 1]["state"] == "former"
    assert rows["index", 2]["still_under_it"] == "" and rows["index", 2]["state"] == "newest"
    assert rows["content", 1]["state"] == "newest"
