"""What a message contains, as the decision asks for it: before an attempt and for a preview, by the same few lines."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.inspection import facts as found
from carepost.inspection.types import Content, Custom, Needs
from carepost.phi.types import Recipient
from carepost.policy.content import ContentFacts, Level, Need
from carepost.policy.ternary import Ternary


class Inspector(Protocol):
    """`inspection.inspector.Inspector`."""

    async def content(
        self, message: bytes, recipient: Recipient, custom: Custom | None = None, needs: Needs = ..., *,
        key: bytes = b"", deadline: float = ...,
    ) -> Content: ...  # fmt: skip


class Looked(msgspec.Struct, frozen=True):
    facts: ContentFacts
    #: what was found, without a value of it (JSON), for whoever reviews the message; b"" where nothing was read
    findings: bytes
    #: the organisation's exception by which the texts were not read; "" for none
    exception: str = ""


async def look(
    inspector: Inspector,
    snapshot: OrgSnapshot,
    sender: str,
    recipient: str,
    needed: frozenset[Need],
    read: Callable[[], Awaitable[bytes]],
    *,
    key: bytes = b"",
    deadline: float = 60.0,
) -> Looked:
    """Raises what `read` raises; a message nobody can look into is unknown. `key`: as `Inspector.content`; `deadline`:
    seconds. Where the organisation excepts the sender or the recipient, what the texts say counts as nothing."""
    words = snapshot.own_words
    exception = words.excepted(sender, recipient) if words is not None and Need.LEVEL in needed else ""
    if exception:
        needed = needed - {Need.LEVEL}
    custom = words.custom if words is not None and Need.LEVEL in needed else None
    own = snapshot.domain(recipient.rpartition("@")[2]) is not None
    content = Content()
    if needed:
        needs = found.needs(needed)
        who = Recipient(recipient, own=own)
        content = await inspector.content(await read(), who, custom, needs, key=key, deadline=deadline)
    said = msgspec.json.encode(content.findings) if content.findings is not None else b""
    facts = found.facts(content)
    if exception:
        facts = msgspec.structs.replace(facts, level=Level.NONE, bulk=Ternary.NO)
    return Looked(facts, said, exception)
