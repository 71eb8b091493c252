"""The portal's events, written in the transaction of what they tell of (law 8). Nothing personal outside `client`."""

from collections.abc import Mapping
from typing import Final

from carepost.ground import clock, ids
from carepost.mailbox.models import Deposit
from carepost.proof import kinds
from carepost.tenancy import events
from carepost.wire.types import Actor

#: somebody who has not proved who they are
VISITOR: Final = Actor("visitor", "")


def record(
    kind: str,
    deposit: Deposit,
    *,
    actor: Actor,
    client: str = "",
    facts: Mapping[str, str] | None = None,
    result: str = "ok",
    cause: str = "",
    reason: str = "",
) -> None:
    """An event about one deposit: `on` names its message and delivery. `client`, `reason`: committed, sealed."""
    values = {name: text.encode() for name, text in (("client", client), ("reason", reason)) if text}
    draft, openings = kinds.make(
        kind,
        id=ids.text(ids.new()),
        org=str(deposit.org_id),
        at=clock.now(),
        actor=(actor.kind, actor.id),
        on=[str(deposit.message), str(deposit.delivery)],
        values=values,
        facts=facts,
        result=result,
        cause=cause,
        policy=deposit.policy,
        category=deposit.category,
    )
    events.append(draft, openings)
