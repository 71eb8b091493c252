"""The administrative commands on a real home: each verb, its JSON, and one sentence with exit 2 for what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from carepost.crypto import scram
from carepost.directory import Directory, bearer, sqlite
from carepost.ground import home
from carepost.ground.keys import MasterKeyring

MIGRATE = "import sys, pathlib; from carepost.settings.migrate import migrate; migrate(pathlib.Path(sys.argv[1]))"
BATCH = """
import json, sys
from carepost.cli.main import main
for line in sys.stdin:
    print("\\x1e", main(json.loads(line)), flush=True)
"""


def environment(made: home.Home) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CAREPOST_", "DJANGO_"))}
    return {**kept, "CAREPOST_HOME": str(made.path), "CAREPOST_CONSOLE_URL": "https://console.clinic.test"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> home.Home:
    made = home.create(tmp_path_factory.mktemp("cli") / "home", sandbox=True)
    MasterKeyring.create(made.keyring())
    run = [sys.executable, "-c", MIGRATE, str(made.path)]
    subprocess.run(run, env=environment(made), check=True, timeout=280)
    return made


class Terminal:
    """Commands one after another in one process: what each printed, and its exit status."""

    def __init__(self, made: home.Home, folder: Path) -> None:
        self.errors = folder / "stderr"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", BATCH],
                env=environment(made), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def __call__(self, *words: str) -> tuple[int, str]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(list(words)) + "\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.startswith("\x1e"):
                return int(line[1:]), "".join(said)
            said.append(line)
        raise AssertionError(self.errors.read_text())

    def ok(self, *words: str) -> str:
        status, said = self(*words)
        assert status == 0, (words, said, self.errors.read_text())
        return said

    def refused(self, *words: str) -> str:
        before = len(self.errors.read_text())
        status, said = self(*words)
        assert status == 2, (words, status, said)
        sentence = self.errors.read_text()[before:].strip()
        assert sentence.startswith("carepost: ")
        assert "\n" not in sentence
        return sentence


@pytest.fixture
def terminal(installed: home.Home, tmp_path: Path):
    made = Terminal(installed, tmp_path)
    yield made
    made.process.stdin.close()
    made.process.wait(timeout=30)
    made.process.stdout.close()


def test_an_organisation_from_nothing_to_its_first_message(terminal: Terminal, installed: home.Home) -> None:
    assert "There is no organisation yet" in terminal.refused("unit", "list")
    made = json.loads(
        terminal.ok("org", "add", "willow", "--name", "Willow Clinic", "--phone", "+1 555 0100", "--json")
    )
    assert made["floor"] == "VERIFIED"
    assert "taken" not in terminal.ok("org", "list")
    terminal.ok("org", "set", "--notice-name", "Willow", "--patience", "60", "--reason", "short name")
    shown = json.loads(terminal.ok("org", "show", "--json"))
    assert (shown["notice_name"], shown["patience"]) == ("Willow", 60)

    terminal.ok("unit", "add", "Heart", "--phone", "+1 555 0142")
    terminal.ok("unit", "set", "Heart", "--notice-name", "Willow Heart")
    assert json.loads(terminal.ok("unit", "list", "--json"))[0]["notice_name"] == "Willow Heart"

    domain = json.loads(terminal.ok("domain", "add", "willow.test", "--unit", "Heart", "--json"))
    assert [r["value"][:8] for r in domain["records"]] == ["v=DKIM1;"] * 2
    assert "_domainkey.willow.test. TXT" in terminal.ok("domain", "records", "willow.test")
    told = json.loads(terminal.ok("domain", "history", "willow.test", "--days", "14", "--json"))
    assert len(told["days"]) == 14 and {one["kind"] for one in told["changes"]} == {"added", "key-signs"}
    said = terminal.ok("domain", "history", "willow.test")
    assert said.count("not looked at") == 1 and "What changed:" in said and "Signing key in use" in said
    again = json.loads(terminal.ok("domain", "rotate", "willow.test", "--json"))
    assert again["selectors"] == domain["selectors"] and not set(again["next"]) & set(domain["selectors"])

    invited = json.loads(
        terminal.ok("staff", "add", "ada@willow.test", "--name", "Ada", "--role", "administrator", "--json")
    )
    assert invited["link"].startswith("https://console.clinic.test/welcome/")
    terminal.ok("staff", "add", "olga@willow.test", "--name", "Olga", "--role", "operator")
    terminal.ok("staff", "grant", "olga@willow.test", "auditor", "--reason", "covers")
    terminal.ok("staff", "revoke", "olga@willow.test", "operator", "--reason", "new job")
    people = {p["email"]: p["roles"] for p in json.loads(terminal.ok("staff", "list", "--json"))}
    assert people == {"ada@willow.test": ["administrator"], "olga@willow.test": ["auditor"]}
    assert "https://console.clinic.test/welcome/" in terminal.ok(
        "staff", "link", "olga@willow.test", "--reason", "lost"
    )

    key = json.loads(terminal.ok("key", "add", "Reminders", "--scope", "send", "--owner", "olga@willow.test"))
    assert set(key) == {"id", "secret"}
    credential = json.loads(terminal.ok("credential", "add", "EHR", "--domain", "willow.test"))
    assert set(credential) == {"username", "password"}
    terminal.ok("route", "add", "partner.test", "mx.partner.test:2525")
    terminal.ok("rule", "portal-by-mail", "on", "--reason", "first run")
    terminal.ok(
        "rule", "add", "strict", "--recipient-domain", "partner.test", "--floor", "AUTHENTICATED", "--reason", "r"
    )
    terminal.ok("rule", "add", "jane", "--recipient", "jane@home.test", "--action", "hold", "--reason", "asked")

    keys = MasterKeyring.open(installed.keyring()).purposes()
    directory = Directory(sqlite.source(installed.office_db, keys))
    directory.poll()
    try:
        (org,) = directory.organisations()
        seen = directory.snapshot(org)
        assert [r.id for r in seen.rules] == ["jane", "portal-by-mail", "strict"]
        assert next(r for r in seen.rules if r.id == "jane").recipient == "jane@home.test"
        assert [d.unit for d in seen.domains] == ["Heart"]
        found = directory.credential(credential["username"])
        assert found is not None
        assert scram.check_plain(found.verifier, credential["password"])
        presented = bearer.split(key["secret"])
        assert presented is not None
        assert bearer.matches(directory.api_key(presented[0]), presented[1])

        terminal.ok("staff", "disable", "olga@willow.test", "--reason", "left")
        terminal.ok("credential", "revoke", credential["username"])
        terminal.ok("route", "remove", "partner.test")
        terminal.ok("rule", "remove", "strict", "--reason", "r")
        terminal.ok("org", "rotate-key", "content", "--reason", "yearly")
        directory.poll()
        assert directory.api_key(presented[0]) is None
        assert directory.credential(credential["username"]) is None
        assert directory.snapshot(org).routes == ()
        assert directory.snapshot(org).keys["content"][0] == 2
    finally:
        directory.stop()

    listed = terminal.ok("rule", "list")
    assert "jane@" not in listed
    assert "one person at home.test" in listed
    assert len(json.loads(terminal.ok("rule", "versions", "--json"))) == 5

    # fmt: off
    terminal.ok(
        "rule", "add", "wide", "--unit", "Heart", "--direction", "outbound", "--header", "Subject",
        "--contains", "[secure]", "--trigger", "--size-over", "10", "--hours", "mon-fri 08:00-18:00 UTC",
        "--action", "approve", "--approvals", "2", "--warn", "--ask-reason", "--redirect", "desk@willow.test",
        "--copy", "record@willow.test", "--strip-tracking", "--tag", "vip", "--words", "Call first.",
        "--reason", "asked by Jane",
    )
    # fmt: on
    row = next(r for r in json.loads(terminal.ok("rule", "list", "--json")) if r["rule"] == "wide")
    assert "held until 2 other people approve" in row["says"]
    assert "from the unit Heart" in row["applies_to"]
    assert "desk@" not in row["says"]
    written = installed.path.parent / "policy.md"
    terminal.ok("rule", "document", "--without-persons", "--output", str(written))
    assert "desk@" not in written.read_text() and "one person at willow.test" in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    assert "is there already" in terminal.refused("rule", "document", "--output", str(written))
    assert "asked by Jane" in terminal.ok("rule", "document")
    versions = json.loads(terminal.ok("rule", "versions", "--json"))
    assert (versions[0]["reason"], versions[0]["author"]) == ("asked by Jane", "the command line")
    assert "asked by Jane" in terminal.ok("rule", "show", "6")
    (shown,) = json.loads(terminal.ok("rule", "show", "6", "--json"))
    assert (shown["rule"], shown["before"]) == ("wide", "-")
    tried = json.loads(terminal.ok("rule", "try", "strong", "--floor", "MESSAGE", "--last", "50", "--json"))
    assert (tried["messages"], tried["differences"]) == (0, [])
    assert "Of 0 copies" in terminal.ok("rule", "try", "wide", "--remove")
    terminal.ok("rule", "restore", "5", "--reason", "too much")
    assert [r["rule"] for r in json.loads(terminal.ok("rule", "list", "--json"))] == ["jane", "portal-by-mail"]

    for sentence, words in {
        "no such version": ("rule", "show", "99"),
        "no such rule": ("rule", "try", "nothing", "--remove"),
        "Hours are written": ("rule", "add", "late", "--action", "hold", "--hours", "at night", "--reason", "r"),
        "not a domain": ("domain", "add", "nodots"),
        "no organisation": ("org", "show", "--org", "elsewhere"),
        "HOST:PORT": ("route", "add", "x.test", "mx.x.test"),
        "cannot be read": ("route", "add", "x.test", "mx.x.test:25", "--ca", "/nowhere"),
        "Scopes are": ("key", "add", "K", "--scope", "everything"),
        "not the id": ("key", "revoke", "K"),
        "attestation": ("rule", "add", "low", "--floor", "NONE", "--reason", "r"),
        "at least one administrator": ("staff", "disable", "ada@willow.test", "--reason", "r"),
        "signs in as": ("staff", "link", "nobody@willow.test", "--reason", "r"),
        "another organisation": ("domain", "add", "willow.test", "--org", "second"),
        "--days is a number": ("domain", "history", "willow.test", "--days", "0", "--org", "willow"),
        "Name the organisation by --org": ("domain", "list"),
    }.items():
        if "second" in words:
            terminal.ok("org", "add", "second", "--name", "Second")
        assert sentence in expect(terminal, *words), words

    terminal.ok("domain", "remove", "willow.test", "--org", "willow", "--reason", "sold")
    terminal.ok("org", "close", "--org", "second", "--reason", "test")


def expect(terminal: Terminal, *words: str) -> str:
    """The sentence of a command that ends with 2, or 1 for what is not there."""
    before = len(terminal.errors.read_text())
    status, _ = terminal(*words)
    assert status in (1, 2)
    sentence = terminal.errors.read_text()[before:].strip()
    assert "\n" not in sentence
    return sentence


def test_without_a_home_or_keyring_it_is_one_sentence(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from carepost.cli.main import main; sys.exit(main(sys.argv[1:]))"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CAREPOST_", "DJANGO_"))}
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=60)

    nowhere = run("org", "list", "--home", str(tmp_path / "nowhere"))
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert nowhere.stderr.startswith("carepost: No Carepost home")
    made = home.create(tmp_path / "home", sandbox=True)
    keyless = run("org", "list", "--home", str(made.path))
    assert keyless.returncode == 2
    assert "No keyring" in keyless.stderr
    assert keyless.stderr.count("\n") == 1
