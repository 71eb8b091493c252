"""`carepost webhook` on a real home, as an administrator types it."""

import json

from tests.rooms.tenancy.test_commands import Terminal, installed, terminal

__all__ = ["installed", "terminal"]


def test_from_the_first_webhook_to_its_end(terminal: Terminal) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    assert "No webhook" in terminal.ok("webhook", "list")
    made = json.loads(terminal.ok("webhook", "add", "https://ehr.example/hook", "--event", "delivery.*", "--json"))
    assert made["secret"].startswith("whsec_") and made["public"].startswith("whpk_")
    id_ = made["id"]
    assert "Changed" in terminal.ok("webhook", "set", id_, "--name", "EHR", "--tag", "ward", "--event", "")
    shown = json.loads(terminal.ok("webhook", "show", id_, "--json"))
    assert shown["filter"] == {"events": [], "categories": [], "tags": ["ward"], "domains": []}
    assert made["secret"] not in str(shown)
    assert "for 2 more hours" in terminal.ok("webhook", "rotate", id_, "--overlap", "2")
    agreement = ("webhook", "agreement", id_, "--reference", "BAA 7", "--date", "2026-01-02", "--with", "EHR Inc.")
    assert "what is personal" in terminal.ok(*agreement)
    assert "Nothing personal" in terminal.ok("webhook", "agreement", id_, "--end")
    assert "until you resume" in terminal.ok("webhook", "pause", id_)
    assert "told again" in terminal.ok("webhook", "resume", id_)
    assert "a test" in terminal.ok("webhook", "test", id_)
    assert "Name an event" in terminal.refused("webhook", "replay", id_)
    assert "write it with its zone" in terminal.refused("webhook", "replay", id_, "--since", "yesterday")
    assert "told nothing yet" in terminal.ok("webhook", "log", id_)
    assert "https" in terminal.refused("webhook", "add", "http://ehr.example/")
    assert "any more" in terminal.ok("webhook", "remove", id_)
    assert terminal.ok("webhook", "list", "--json").strip() == "[]"
