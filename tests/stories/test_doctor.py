"""`carepost doctor` on homes with something wrong: it says what, and what to do."""

import datetime
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carepost.ground import home
from carepost.ground.keys import MasterKeyring
from tests.support.house import ROOT, House, environment, free_ports
from tests.support.scanner import scanner
from tests.support.waiting import until

Said = dict[str, tuple[str, str]]


def asked(path: Path, environ: dict[str, str], *words: str) -> tuple[int, Said]:
    """(exit status, what was found -> (state, what to do))."""
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "doctor", "--home", str(path), "--json", *words],
        env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    found = {one["what"]: (one["state"], one["mend"]) for one in json.loads(done.stdout)}
    for what, (state, mend) in found.items():
        assert (state == "ok") == (mend == ""), f"{what}: what is wrong comes with what to do"
    return done.returncode, found


def one(found: Said, words: str) -> tuple[str, str]:
    hits = [value for what, value in found.items() if words in what]
    assert len(hits) == 1, (words, found)
    return hits[0]


def certificate(folder: Path, name: str, days: int, holds: str = "") -> None:
    """`holds`: the name in it, where that is another than the file's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=90))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(holds or name)]), False).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_a_real_home_with_everything_wrong(tmp_path: Path) -> None:
    made = home.create(tmp_path / "home")
    MasterKeyring.create(made.path / "keyring.json")
    os.chmod(made.path, 0o755)
    certificate(made.tls, "ended.test", -3)
    certificate(made.tls, "ending.test", 5)
    certificate(made.tls, "well.test", 60)
    certificate(made.tls, "other.test", 60, holds="elsewhere.test")
    certificate(made.tls, "wild.test.test", 60, holds="*.test.test")
    certificate(made.tls, "unpaired.test", 60)
    (made.tls / "unpaired.test.key").write_bytes((made.tls / "well.test.key").read_bytes())
    (made.tls / "none.test.pem").write_text("nothing")
    (made.tls / "none.test.key").write_text("nothing")
    ports = free_ports()
    environ = environment(
        ports, CAREPOST_KEYRING=made.path / "keyring.json", CAREPOST_MIN_FREE=1 << 60,
        CAREPOST_RESOLVERS=f"127.0.0.1:{ports['sandbox_dns']}", CAREPOST_RESOLVERS_VALIDATE="true",
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", ports["mx"])):
        code, found = asked(made.path, environ)
    assert code == 1
    assert one(found, "lies inside the home")[0] == "failed"
    assert one(found, "others can enter")[1] == f"chmod 700 {made.path}"
    assert one(found, "ended.test.pem ended 3 days ago")[0] == "failed"
    assert one(found, "ending.test.pem: 5 days left")[0] == "attention"
    assert one(found, "well.test.pem: 60 days left")[0] == "ok"
    assert one(found, "other.test.pem is a certificate for other names (elsewhere.test)")[0] == "failed"
    assert one(found, "wild.test.test.pem: 60 days left")[0] == "ok"
    assert one(found, "unpaired.test.pem and unpaired.test.key do not belong together")[0] == "failed"
    assert one(found, "none.test.pem is no certificate")[0] == "failed"
    assert "which is this system's name" not in str(found), "of what cannot be read nothing is said"
    (made.tls / "none.test.pem").unlink()
    state, mend = one(asked(made.path, environ | {"CAREPOST_HOSTNAME": "mail.new.test"})[1], "is for mail.new.test")
    assert state == "failed" and "mail.new.test.pem" in mend
    assert one(found, "MiB free")[0] == "failed"
    assert one(found, f"another program has port {ports['mx']}")[1].endswith("CAREPOST_PORT_MX")
    assert one(found, "does not answer")[0] == "failed"
    assert one(found, "has no tables yet")[1]
    assert one(found, "no engine runs")[1] == "carepost up"
    assert one(found, "no backup of this home")[0] == "failed"
    assert one(found, "the clock is")


def test_a_house_at_work_is_well_and_says_when_it_is_not(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        house.send("jane.roe@verified.test")
        house.arrived("jane.roe@verified.test")
        until(lambda: asked(house.path, house.environ)[1].get("the log keeps up"), within=20, what="the log keeps up")
        code, found = asked(house.path, house.environ)
        assert code == 0, found
        for words in ("6 ports answer", "validates DNSSEC", "every shard has an owner", "no delivery is overdue",
                      "organisation demo", "the home is private"):  # fmt: skip
            assert one(found, words)[0] == "ok", words
        assert "fit for a sandbox only" in str(found)
        house.carepost("backup", str(tmp_path / "a.backup"))
        assert one(asked(house.path, house.environ)[1], "the last backup is 0 days old")[0] == "ok"
        # the journal stands still, and so does what is due
        house.process.send_signal(19)  # type: ignore[union-attr]
        for pid, role, _ in house.children():
            if role != "sandbox":
                os.kill(pid, 9)
        later = {**house.environ, "PYTHONPATH": str(tmp_path)}
        (tmp_path / "sitecustomize.py").write_text(
            "from carepost.ground import clock\nimport time\n"
            "clock.set_source(lambda: time.time_ns() // 1000 + 900_000_000)\n"
        )
        code, found = asked(house.path, later)
        assert one(found, "the journal does not run")[0] == "attention"
        assert one(found, "no engine runs")[0] == "attention"


def test_what_is_due_and_does_not_leave_is_told(tmp_path: Path) -> None:
    with House(tmp_path, CAREPOST_RETRY_FIRST=2, CAREPOST_GIVE_UP=90_000) as house:
        house.send("cy.waits@full.test")
        until(lambda: house.figures()["deferred"] == 1, within=30, what="it waits")
        house.kill_all()
    later = {**house.environ, "PYTHONPATH": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text(
        "from carepost.ground import clock\nimport time\n"
        "clock.set_source(lambda: time.time_ns() // 1000 + 3_600_000_000)\n"
    )
    code, found = asked(house.path, later)
    state, mend = one(found, "1 deliveries are due, the oldest since")
    assert (code, state) == (1, "failed") and "carepost up" in mend


def test_a_scanner_is_asked_what_it_finds_and_what_it_keeps_to_itself(tmp_path: Path) -> None:
    made = home.create(tmp_path / "home")
    MasterKeyring.create(tmp_path / "keyring.json")
    environ = environment(free_ports(), CAREPOST_KEYRING=tmp_path / "keyring.json")
    assert "clamd" not in str(asked(made.path, environ)[1])
    with scanner() as path:
        found = asked(made.path, environ | {"CAREPOST_CLAMD": str(path)})[1]
        assert one(found, f"clamd at {path} finds the test virus")[0] == "ok"
        assert "clean" not in str(found)
    with scanner(AlertExceedsMax="no", AlertEncrypted="no") as path:
        found = asked(made.path, environ | {"CAREPOST_CLAMD": str(path)})[1]
        for words, line in (("a locked archive clean", "AlertEncrypted yes"), ("too deep", "AlertExceedsMax yes")):
            state, mend = one(found, words)
            assert state == "attention" and line in mend
    found = asked(made.path, environ | {"CAREPOST_CLAMD": str(path)})[1]
    assert one(found, "does not answer (not-running)")[0] == "failed"
    found = asked(made.path, environ | {"CAREPOST_CLAMD": "192.0.2.1:3310"})[1]
    assert "this machine" in str(found)
