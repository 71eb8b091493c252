"""A message that leaves as it is, but for what its copies carry of their own: made ready, signed last.

What asks for nothing of its own shares its bytes with all recipients, and pays two comparisons here."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from carepost.delivery import marking, returns
from carepost.delivery.methods.keyed import Keyed
from carepost.delivery.methods.tls import Prepared, Preparer
from carepost.directory.types import OrgSnapshot
from carepost.policy.types import Facts
from carepost.queue.types import Claim, MessageRecord


class World(Protocol):
    """`delivery.world.World`, as far as this needs it."""

    @property
    def intake(self) -> returns.Door: ...

    @property
    def preparer(self) -> Preparer: ...

    @property
    def keyed(self) -> Keyed | None: ...


async def plain(
    world: World,
    snapshot: OrgSnapshot,
    message: MessageRecord,
    claim: Claim,
    body: bytes,
    facts: Callable[[], Facts],
    *,
    sevenbit: bool,
) -> Prepared:
    """`facts`: asked only where the copy may be marked. Raises Unready, Unavailable, WrongKey."""
    name, worked, alone, key, tracked = claim.message, claim.worked, claim.alone, "", ""
    if returns.marketing(message):
        name, worked = b"own|" + claim.delivery, None
        body = returns.headed(world.intake.returns, snapshot, message, claim, body)
    if snapshot.tracking and (marks := marking.wanted(snapshot, message, claim, facts())) is not None:
        body, tracked = await marking.marked(world.intake.returns, snapshot, message, claim, body, marks)
        if tracked:
            name, worked, alone = b"own|" + claim.delivery, None, True
    if snapshot.own_keys and world.keyed is not None:
        body, key = await world.keyed.signed(name, body, snapshot, message.header_from)
        name, worked = (b"signed|" + name, None) if key else (name, worked)
    prepared = world.preparer.prepare(
        name, body, snapshot, header_from=message.header_from, worked=worked, sevenbit_only=sevenbit, alone=alone
    )
    return msgspec.structs.replace(prepared, signed=key, tracked=tracked) if key or tracked else prepared
