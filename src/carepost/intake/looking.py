"""What a message contains, as the decision asks for it: before an attempt and for a preview, by the same few lines."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.inspection import facts as found
from carepost.inspection.types import Content, Custom, Needs
from carepost.phi.types import Recipient
from carepost.policy.content import ContentFacts, Need


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


async def look(
    inspector: Inspector,
    snapshot: OrgSnapshot,
    recipient: str,
    needed: frozenset[Need],
    read: Callable[[], Awaitable[bytes]],
    *,
    key: bytes = b"",
    deadline: float = 60.0,
) -> Looked:
    """Raises what `read` raises; a message nobody can look into is unknown. `key`: as `Inspector.content`; `deadline`:
    seconds."""
    own = snapshot.domain(recipient.rpartition("@")[2]) is not None
    content = await inspector.content(
        await read(), Recipient(recipient, own=own), needs=found.needs(needed), key=key, deadline=deadline
    )
    said = msgspec.json.encode(content.findings) if content.findings is not None else b""
    return Looked(found.facts(content), said)
