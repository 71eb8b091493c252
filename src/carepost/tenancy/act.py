"""The shape of every action (law 8): who, in which organisation, with which permission; one transaction; its event.

with act(org, Permission.DOMAINS, actor=actor) as doing:
    …
    doing.event("domain.added", on=[domain.pk], facts={"domain": name})
    doing.tell_engine()
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F

from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.proof import kinds
from carepost.proof.event import Draft
from carepost.tenancy import events, scope
from carepost.tenancy.models import Organisation, OrgEpoch
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

#: (on, facts, values) of one event
Told = tuple[Sequence[uuid.UUID], Mapping[str, str], Mapping[str, str]]


class WithoutEvent(AssertionError):
    """An action that ended well and said nothing of itself: a bug in the action."""


class Doing:
    """One action under way. `at` is its moment, for all rows it writes."""

    def __init__(self, organisation: Organisation, actor: Actor) -> None:
        self.organisation = organisation
        self.actor = actor
        self.at = clock.now()
        self._events = 0
        self._tell = False

    @property
    def org(self) -> uuid.UUID:
        return self.organisation.pk

    def event(
        self,
        kind: str,
        *,
        on: Sequence[uuid.UUID],
        facts: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        result: str = "ok",
    ) -> str:
        """Its id. `facts`: words and codes, nothing personal. `values`: what is personal or said in words (reason, old
        and new values): committed in the event, sealed beside it."""
        draft, personal = self._draft(kind, on, facts, values, result)
        events.append(draft, personal)
        self._events += 1
        return draft.id

    def event_each(self, kind: str, many: Sequence[Told]) -> None:
        """One event for each thing that was done, in one statement."""
        if many:
            events.append_all([self._draft(kind, *one, "ok") for one in many])
            self._events += len(many)

    def _draft(
        self,
        kind: str,
        on: Sequence[uuid.UUID],
        facts: Mapping[str, str] | None,
        values: Mapping[str, str] | None,
        result: str,
    ) -> tuple[Draft, events.Personal]:
        return kinds.make(
            kind,
            id=events.new_id(),
            org=str(self.org),
            at=self.at,
            actor=(self.actor.kind, self.actor.id),
            on=[str(one) for one in on],
            values={name: text.encode() for name, text in (values or {}).items()},
            facts=facts,
            result=result,
            policy=self.organisation.policy_version,
        )

    def tell_engine(self) -> None:
        """What the engine must know has changed: the epoch moves in this transaction."""
        self._tell = True

    def finish(self) -> None:
        if not self._events:
            raise WithoutEvent
        if self._tell:
            OrgEpoch.objects.filter(org=self.org).update(epoch=F("epoch") + 1)


@contextmanager
def act(org: uuid.UUID, permission: Permission, *, actor: Actor) -> Iterator[Doing]:
    """Raises NotFound (no such organisation), Forbidden. Nothing is left when anything raises."""
    with scope.organisation(org), transaction.atomic(durable=True):
        authorise(actor, permission, org)
        # locked: epoch and policy version of one organisation move one action at a time
        found = Organisation.objects.select_for_update().filter(pk=org, closed_at=0).first()
        if found is None:
            raise NotFound("There is no such organisation.")
        doing = Doing(found, actor)
        yield doing
        doing.finish()
