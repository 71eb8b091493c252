"""Whether a mail somebody holds is one of ours: by its Message-ID in history, then compared with what was committed to
when it was accepted, sent or laid into the portal. The search and the look at the message are events (law 7)."""

import uuid

import msgspec

from carepost.archive import acts
from carepost.archive.access import access_message, opened
from carepost.archive.search import Wanted, search
from carepost.archive.store import store
from carepost.audit import reader
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.proof import match
from carepost.tenancy import select
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor, MessageView

#: messages of one Message-ID compared at most
_MOST = 5


class Ours(msgspec.Struct, frozen=True):
    """`message`: of ours with that Message-ID. `same`: the mail is that one; `words` complete "…"."""

    message: MessageView
    same: bool
    words: str


def ours(org: bytes, actor: Actor, raw: bytes, message_id: str) -> Ours | None:
    """None: history knows no message with that Message-ID. Raises NotFound (forbidden), Unavailable."""
    acts.allowed(org, actor, Permission.READ)
    if not message_id:
        return None
    best: Ours | None = None
    for line in search(org, actor, Wanted(message_id=message_id), limit=_MOST).messages[:_MOST]:
        id_ = ids.parse(line.id)
        told = [(one.event.kind, opened(org, one)) for one in reader.events_on(store(), org, line.id)]
        values = [(kind, {name: value for name, (_, value) in openings.items()}) for kind, openings in told]
        same, words = match.compare(raw, values)
        if best is None or (same and not best.same):
            try:
                best = Ours(access_message(org, id_, actor), same, words)
            except NotFound:
                continue
        if same:
            break
    return best


def own_key(org: bytes, domain: str, selector: str) -> bool:
    """Whether this is a key one of the organisation's sender domains signs with, or did: mail of before is ours too."""
    return any(
        row.domain == domain and any(key.selector == selector and key.active_at for key in row.dkim_keys.all())
        for row in select.domains(uuid.UUID(bytes=org))
    )
