"""`carepost mailkey` on a real home, as an administrator types it."""

import json
from pathlib import Path

from cryptography import x509

from carepost.crypto.openpgp import certificate as pgp_certificate
from tests.rooms.keyring.test_own_keys import certify, pem, pkcs12
from tests.rooms.tenancy.test_commands import Terminal, installed, terminal

__all__ = ["installed", "terminal"]

ADA = "ada@clinic.test"


def test_from_the_first_key_to_a_revocation(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    terminal.ok("domain", "add", "clinic.test", "--org", "willow")
    assert "no key of the organisation yet" in terminal.ok("mailkey", "list", "--org", "willow")
    said = terminal.ok(
        "mailkey", "add", "--org", "willow", ADA, "--algorithm", "ec-p256", "--name", "Ada Sample", "--reason", "first"
    )
    assert "it is used from now on, until" in said
    (row,) = json.loads(terminal.ok("mailkey", "list", "--org", "willow", "--json"))
    assert (row["address"], row["owner"], row["state"], row["signs"]) == (ADA, "address", "In use", "encrypted mail")
    assert "all mail" in terminal.ok(
        "mailkey", "sign-all", "--org", "willow", row["id"], "--reason", "the insurer asks for it"
    )
    assert "BEGIN CERTIFICATE" in terminal.ok("mailkey", "export", "--org", "willow", row["id"])

    again = json.loads(
        terminal.ok("mailkey", "rotate", "--org", "willow", row["id"], "--request", "--reason", "from the CA", "--json")
    )
    assert again["state"] == "waiting"
    request = tmp_path / "ada.csr"
    terminal.ok("mailkey", "export", "--org", "willow", again["id"], "--request", "-o", str(request))
    issued = tmp_path / "ada.pem"
    issued.write_bytes(pem(certify(x509.load_pem_x509_csr(request.read_bytes()))))
    terminal.ok(
        "mailkey", "install", "--org", "willow", again["id"], str(issued), "--overlap", "10", "--reason", "it came"
    )
    listed = {one["id"]: one for one in json.loads(terminal.ok("mailkey", "list", "--org", "willow", "--json"))}
    assert (listed[again["id"]]["state"], listed[row["id"]]["state"]) == ("In use", "Only opens")
    assert listed[again["id"]]["signs"] == "all mail" and listed[row["id"]]["opens_until"]

    office = json.loads(
        terminal.ok(
            "mailkey",
            "add",
            "--org",
            "willow",
            "office@clinic.test",
            "--method",
            "openpgp",
            "--shared",
            "--reason",
            "r",
            "--json",
        )
    )
    assert "Publish its revocation" in terminal.ok(
        "mailkey", "revoke", "--org", "willow", office["id"], "--reason", "lost"
    )
    assert pgp_certificate.read(terminal.ok("mailkey", "export", "--org", "willow", office["id"]).encode()).revoked


def test_a_file_is_looked_at_and_then_taken(terminal: Terminal, tmp_path: Path) -> None:
    """By each an organisation of its own: the home is shared by the tests of this page."""
    terminal.ok("org", "add", "maple", "--name", "Maple Clinic")
    terminal.ok("domain", "add", "maple.test", "--org", "maple")
    file, secret = tmp_path / "ada.p12", tmp_path / "word"
    file.write_bytes(pkcs12("bea@maple.test"))
    secret.write_text("correct horse battery\n")
    words = (
        "mailkey",
        "import",
        str(file),
        "--org",
        "maple",
        "--passphrase-file",
        str(secret),
        "--reason",
        "from the old system",
    )
    assert "It would be taken: S/MIME" in terminal.ok(*words, "--dry-run")
    assert json.loads(terminal.ok("mailkey", "list", "--org", "maple", "--json")) == []
    taken = json.loads(terminal.ok(*words, "--json"))
    assert taken["address"] == "bea@maple.test" and taken["signs"] and taken["opens"]
    assert "here already" in terminal.refused(*words)
    secret.write_text("wrong")
    assert "password is wrong" in terminal.refused(*words)
    assert "sender domains" in terminal.refused(
        "mailkey", "add", "--org", "maple", "eve@elsewhere.test", "--reason", "r"
    )
    assert "no key of this kind" in terminal.refused(
        "mailkey", "add", "--org", "maple", "bea@maple.test", "--algorithm", "dsa", "--reason", "r"
    )


def test_the_organisation_as_its_own_authority(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("org", "add", "rowan", "--name", "Rowan Clinic", "--portal-url", "http://portal.rowan.test")
    terminal.ok("domain", "add", "rowan.test", "--org", "rowan")
    assert "no authority" in terminal.ok("authority", "list", "--org", "rowan")
    made = json.loads(
        terminal.ok("authority", "make", "--org", "rowan", "--algorithm", "ec-p384", "--reason", "r", "--json")
    )
    assert made["where"].startswith("http://portal.rowan.test/ca/")
    key = json.loads(
        terminal.ok(
            "authority",
            "add-key",
            "--org",
            "rowan",
            "ada@rowan.test",
            "--algorithm",
            "ec-p256",
            "--reason",
            "r",
            "--json",
        )
    )
    waiting = json.loads(
        terminal.ok("mailkey", "add", "--org", "rowan", "bea@rowan.test", "--request", "--reason", "r", "--json")
    )
    assert "Certified" in terminal.ok("authority", "certify", "--org", "rowan", waiting["id"], "--reason", "r")
    file = tmp_path / "authority.pem"
    terminal.ok("authority", "export", "--org", "rowan", made["id"], "-o", str(file))
    assert file.read_bytes().startswith(b"-----BEGIN CERTIFICATE")
    terminal.ok("mailkey", "revoke", "--org", "rowan", key["id"], "--cause", "superseded", "--reason", "r")
    (row,) = json.loads(terminal.ok("authority", "list", "--org", "rowan", "--json"))
    assert (row["state"], row["domains"], row["certificates"], row["revoked"]) == ("issues", ["rowan.test"], 1, 1)
    assert "List 3 is signed" in terminal.ok("authority", "sign-list", "--org", "rowan", made["id"])
    terminal.ok("authority", "end", "--org", "rowan", made["id"], "--reason", "r")
    assert "make one first" in terminal.refused(
        "authority", "add-key", "--org", "rowan", "ada@rowan.test", "--reason", "r"
    )
