"""`carepost gateway` on a real home, as an administrator types it."""

import json
from pathlib import Path

from tests.rooms.tenancy.test_commands import Terminal, installed, terminal

__all__ = ["installed", "terminal"]


def test_from_the_first_connection_to_its_end(terminal: Terminal, tmp_path: Path) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    terminal.ok("domain", "add", "willow.test")
    assert "No mail system" in terminal.ok("gateway", "list")
    made = json.loads(terminal.ok("gateway", "add", "Ours", "--provider", "microsoft365", "--json"))
    assert made["header"] == "X-Carepost-Gateway"
    said = terminal.ok(
        "gateway", "set", made["id"], "--mode", "return", "--host", "mail.tenant.test:25", "--inbound", "yes",
        "--domain", "willow.test", "--name-shared", "*.mail.provider.test", "--originator", "willow.test",
    )  # fmt: skip
    assert "Changed." in said
    (row,) = json.loads(terminal.ok("gateway", "list", "--json"))
    assert (row["mode"], row["host"], row["inbound"], row["secrets"]) == ("return", "mail.tenant.test:25", True, 1)
    secret = tmp_path / "secret"
    secret.write_text("an-invented-word\n")
    words = ("gateway", "login", made["id"], "--kind", "password", "--username", "u@willow.test")
    assert "changed" in terminal.ok(*words, "--password-file", str(secret))
    assert "password is missing" in terminal.refused(*words)
    again = json.loads(terminal.ok("gateway", "rotate", made["id"], "--json"))
    assert again["value"] != made["value"]
    assert "counts no more" in terminal.ok("gateway", "end-secret", made["id"])
    steps = terminal.ok("gateway", "steps", made["id"])
    assert "Outbound connector to Carepost" in steps and "X-Carepost-Returned" in steps
    assert made["value"] not in steps and again["value"] not in steps
    assert "HOST:PORT" in terminal.refused("gateway", "set", made["id"], "--host", "nowhere")
    assert "not taken" not in terminal.ok("gateway", "remove", made["id"], "--reason", "we left")
    assert terminal.ok("gateway", "list", "--json").strip() == "[]"
