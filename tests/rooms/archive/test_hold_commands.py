"""`carepost hold` on a real home: nothing is held that is not there, and every refusal is a sentence."""

import json
import uuid

from tests.rooms.tenancy.test_commands import Terminal, installed, terminal

__all__ = ["installed", "terminal"]


def test_what_cannot_be_held_or_lifted_is_said(terminal: Terminal) -> None:
    terminal.ok("org", "add", "willow", "--name", "Willow Clinic")
    assert "Nothing is under legal hold." in terminal.ok("hold", "list")
    assert json.loads(terminal.ok("hold", "list", "--json")) == []
    assert "not the id of a message" in terminal.refused("hold", "place", "the last one", "--reason", "a law suit")
    for words, said in (
        (("place", str(uuid.uuid4())), "There is no such message."),
        (("lift", str(uuid.uuid4())), "There is no such legal hold in force."),
    ):
        status, _ = terminal("hold", *words, "--reason", "a law suit")
        assert status == 1
        assert terminal.errors.read_text().strip().endswith(said)
