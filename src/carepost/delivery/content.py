"""What a message contains, looked at before an attempt, and only where a rule could decide otherwise because of it."""

from collections.abc import Awaitable, Callable

from carepost.directory.types import OrgSnapshot
from carepost.intake import looking
from carepost.intake.looking import Inspector, Looked
from carepost.policy.content import Need
from carepost.policy.index import index
from carepost.policy.needs import needs
from carepost.policy.rules import effect
from carepost.policy.types import Facts

__all__ = ["Inspector", "Looked", "asked", "look", "told", "wanted"]


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
    return await looking.look(inspector, snapshot, facts.sender, facts.recipient, needed, read, key=key)


def told(seen: Looked, facts: Facts) -> dict[str, str]:
    """What the event of a look says in clear. `facts`: with what was found, for the tags that rules give it."""
    said = {"content": seen.facts.level.value, "malware": seen.facts.malware.value}
    if seen.exception:
        said["exception"] = seen.exception
    if tags := effect(facts).content_tags:
        said["tags"] = " ".join(tags)
    return said
