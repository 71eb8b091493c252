"""What a message contains, looked at before an attempt, and only where a rule could decide otherwise because of it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.inspection import facts as found
from carepost.inspection.types import Content, Custom, Needs
from carepost.phi.types import Recipient
from carepost.policy.content import ContentFacts, Need
from carepost.policy.index import index
from carepost.policy.needs import needs
from carepost.policy.types import Facts


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


def asked(snapshot: OrgSnapshot) -> bool:
    """Whether any rule of the organisation asks for content at all."""
    return bool(index(snapshot.rules).questions.content)


def wanted(snapshot: OrgSnapshot, facts: Facts) -> frozenset[Need]:
    return needs(snapshot.rules, facts)


async def look(
    inspector: Inspector,
    snapshot: OrgSnapshot,
    facts: Facts,
    needed: frozenset[Need],
    read: Callable[[], Awaitable[bytes]],
    key: bytes,
) -> Looked:
    """Raises what `read` raises; a message nobody can look into is unknown."""
    own = snapshot.domain(facts.recipient_domain) is not None
    content = await inspector.content(
        await read(), Recipient(facts.recipient, own=own), needs=found.needs(needed), key=key
    )
    said = msgspec.json.encode(content.findings) if content.findings is not None else b""
    return Looked(found.facts(content), said)
