"""`carepost suppression` on a real home, as an administrator types it."""

import json

from carepost.cli import suppression
from carepost.tenancy.actions.suppression import REASONS, SCOPES
from tests.rooms.tenancy.test_commands import Terminal, installed, terminal

__all__ = ["installed", "terminal"]


def test_an_entry_with_an_end_is_added_and_found_by_its_cause_and_scope(terminal: Terminal) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    words = ("suppression", "add", "ann@there.test", "--scope", "marketing", "--cause", "soft-bounces")
    terminal.ok(*words, "--until", "2099-01-01T00:00Z", "--note", "mailbox full for weeks")
    terminal.ok("suppression", "add", "bo@there.test")
    (row,) = json.loads(terminal.ok("suppression", "list", "--cause", "soft-bounces", "--json"))
    assert (row["address"], row["until"], row["note"]) == (
        "ann@there.test", "2099-01-01T00:00:00Z", "mailbox full for weeks",
    )  # fmt: skip
    assert row in json.loads(terminal.ok("suppression", "list", "--scope", "marketing", "--json"))
    (other,) = json.loads(terminal.ok("suppression", "list", "--scope", "all", "--json"))
    assert (other["address"], other["until"]) == ("bo@there.test", "")
    assert "has passed already" in terminal.refused("suppression", "add", "cy@there.test", "--until", "2020-01-01T00Z")
    assert len(json.loads(terminal.ok("suppression", "list", "--json"))) == 2


def test_the_command_knows_every_cause_and_scope() -> None:
    assert (suppression._CAUSES, suppression._SCOPES) == (REASONS, SCOPES)
