"""What holds by itself where a scanner for malicious software is set up (`clamd`): what it finds, and what it could not
look at because it did not answer. An organisation's own rule about either takes the place of ours: it may refuse, hold
for approval, or, with `warn` alone, let it pass."""

from typing import Final

import msgspec

from carepost.directory.source import Loaded, Source
from carepost.policy.holding import REFUSE
from carepost.policy.types import Attachment, Rule

INFECTED: Final = Rule("malicious-attachment", attachments=(Attachment.INFECTED,), action="hold", held_then=REFUSE)
UNSCANNED: Final = Rule("unscanned-attachment", attachments=(Attachment.UNSCANNED,), action="hold", held_then=REFUSE)


def built_in(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """What is added to an organisation's own rules."""
    asked = {one for rule in rules for one in rule.attachments}
    return tuple(rule for rule in (INFECTED, UNSCANNED) if not asked & set(rule.attachments))


class Scanned:
    """A source whose organisations have these rules too."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def epochs(self) -> dict[bytes, int]:
        return self._source.epochs()

    def load(self, org: bytes) -> Loaded:
        found = self._source.load(org)
        rules = found.snapshot.rules
        snapshot = msgspec.structs.replace(found.snapshot, rules=rules + built_in(rules))
        return msgspec.structs.replace(found, snapshot=snapshot)

    def close(self) -> None:
        self._source.close()
