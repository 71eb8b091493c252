"""The question of the front desk: a recipient, roughly when, and what can be said of what was sent to them. The search
and the look at each message are events before the answer (law 7)."""

import msgspec

from carepost.archive import acts, arrival, tokens
from carepost.archive.access import access_message
from carepost.archive.arrival import Said
from carepost.archive.search import Wanted, search
from carepost.crypto import index
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

#: messages one answer speaks of
MOST = 5
#: pages of a search that ended before they were full
_PAGES = 20
_DAY_US = 86_400_000_000
#: what Carepost wrote itself is not what is asked about
_OWN = ("notice", "bounce", "report")


class Answer(msgspec.Struct, frozen=True):
    """One recipient of one message. `subject` and `sender` as in the message's header."""

    message: str
    delivery: str
    recipient: str
    at: int
    sender: str
    subject: str
    state: str
    said: Said


class Answers(msgspec.Struct, frozen=True):
    """The newest first. `more`: there are older ones in the time asked about. `since`, `until`: UTC microseconds."""

    answers: tuple[Answer, ...]
    more: bool
    since: int
    until: int


def asked(org: bytes, actor: Actor, recipient: str, *, around: int = 0, days: int = 0, subject: str = "") -> Answers:
    """`around`: UTC microseconds, 0: at any time; `days` to either side. Raises NotFound (forbidden), Refused (no whole
    address, or nothing to search for in the subject)."""
    acts.allowed(org, actor, Permission.READ)
    if "@" not in recipient.strip().strip("@"):
        raise Refused("address-needed", "Give the whole e-mail address of the recipient.", status=422)
    since = max(0, around - days * _DAY_US) if around else 0
    until = around + (days or 1) * _DAY_US if around else 0
    wanted = Wanted(recipient=recipient, subject=subject, since=since, until=until, without=_OWN)
    found: list[str] = []
    cursor = ""
    for _ in range(_PAGES):
        page = search(org, actor, wanted, after=cursor, limit=MOST)
        found += [line.id for line in page.messages]
        cursor = page.cursor
        if not cursor or len(found) >= MOST:
            break
    answers: list[Answer] = []
    name = index.normalise("address", tokens.spelt(recipient))
    for message in found[:MOST]:
        answers += _of_message(org, actor, message, name)
    return Answers(tuple(answers), bool(cursor) or len(found) > MOST, since, until)


def _of_message(org: bytes, actor: Actor, message: str, name: str) -> list[Answer]:
    try:
        view = access_message(org, ids.parse(message), actor)
    except NotFound:
        return []
    return [
        Answer(view.id, one.id, one.recipient, view.at, view.sender, view.subject, one.state, arrival.said(view, one))
        for one in view.deliveries
        if index.normalise("address", one.recipient) == name
    ]
