"""What inspection found in a message, as its events keep it: kinds and counts, masked, sealed beside the leaf. It is
readable as long as the event's sealed part is kept, whether or not the content is still anywhere."""

from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.archive import books
from carepost.archive.store import store
from carepost.audit import reader
from carepost.audit.reader import StoredEvent
from carepost.crypto.rest import Damaged
from carepost.ground.errors import NotFound
from carepost.phi.explain import explain
from carepost.phi.types import Findings
from carepost.proof import kinds

#: recipients of one message that are looked at: their findings differ in what is said about the recipient alone
MOST: Final = 50


class Inspected(msgspec.Struct, frozen=True):
    """`at`: UTC microseconds; `level`: of policy.content, `malware`: as the scanner said. `lines`: in words, masked and
    without codes (beside a person's address a code is health information); `kept`: whether they are readable still."""

    at: int
    level: str
    malware: str
    lines: tuple[str, ...] = ()
    kept: bool = True
    #: name of the organisation's exception by which the texts were not read
    exception: str = ""


def of_delivery(org: bytes, delivery: str) -> Inspected | None:
    """The last look at it; None where none is on record (yet). Access is the caller's to ask and record (law 7)."""
    for stored in reversed(reader.events_on(store(), org, delivery)):
        if stored.event.kind == kinds.DELIVERY_INSPECTED:
            return _read(org, stored)
    return None


def of_message(org: bytes, deliveries: Sequence[str]) -> tuple[Inspected, ...]:
    """Of its recipients, each different result once, the last look first."""
    looks = [look for one in deliveries[:MOST] if (look := of_delivery(org, one)) is not None]
    different = {
        (look.level, look.malware, look.lines, look.exception): look for look in sorted(looks, key=lambda look: look.at)
    }
    return tuple(sorted(different.values(), key=lambda look: -look.at))


def _read(org: bytes, stored: StoredEvent) -> Inspected:
    facts = stored.event.facts
    look = Inspected(
        stored.event.at, facts.get("content", ""), facts.get("malware", ""), exception=facts.get("exception", "")
    )
    if "findings" not in stored.event.commit:
        return look
    try:
        raw = books.opener().openings(org, stored.event, stored.sealed)["findings"][1]
        return msgspec.structs.replace(look, lines=explain(msgspec.json.decode(raw, type=Findings), terms=False))
    except (Damaged, KeyError, NotFound, msgspec.MsgspecError):
        return msgspec.structs.replace(look, kept=False)
