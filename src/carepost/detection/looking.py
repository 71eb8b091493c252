"""A text or a message looked into by the engine's workers, for somebody who wants to know what is found there. Findings
come back masked, and of a text that is tried nothing is kept."""

import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from carepost.detection import entries
from carepost.detection.acts import current, write
from carepost.directory import words
from carepost.ground import clock
from carepost.phi.types import Custom, Findings, Shown
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.tenancy import scope
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.doors import InspectAnswer
from carepost.wire.types import Actor

#: octets of a text that is tried
MOST = 200_000


class Door(Protocol):
    """`intake.client.Client`."""

    def inspect(self, message: bytes, custom: Custom | None, show: bytes) -> InspectAnswer: ...


class Found(msgspec.Struct, frozen=True):
    """`unread`: why something could not be read. `findings` None: nothing could. `excepted`: names of the exceptions in
    force by which a copy of the message is not read, so that what is found counts for nothing there."""

    findings: Findings | None
    shown: tuple[Shown, ...]
    unread: tuple[str, ...]
    excepted: tuple[str, ...] = ()


def tried(org: uuid.UUID, subject: str, text: str, actor: Actor, door: Callable[[], Door]) -> Found:
    """Raises Forbidden, Unavailable, rfc.errors.ComposeError."""
    with act(org, Permission.POLICY, actor=actor) as doing:
        told = current(org)[1]
        doing.event("detection.text-tried", on=[org])
    nobody = Mailbox("", "nobody@invalid.test")
    raw = compose.build(
        from_=nobody, to=(nobody,), subject=" ".join(subject.split()), text=text[:MOST],
        message_id="<try@invalid.test>", at=clock.now(),
    )  # fmt: skip
    return _looked(door().inspect(raw, words.custom(told), told.key))


def of_message(
    org: uuid.UUID,
    raw: bytes,
    actor: Actor,
    door: Callable[[], Door],
    *,
    sender: str = "",
    recipients: Sequence[str] = (),
) -> Found:
    """What is found in a message that whoever asks may read (and was recorded to have read). Raises Forbidden,
    Unavailable."""
    with scope.organisation(org):
        authorise(actor, Permission.READ, org)
        number, told = current(org)
    if not number:
        told = _first(org, actor)
    names = [entries.excepted(told, sender, one) for one in recipients]
    found = _looked(door().inspect(raw, words.custom(told), told.key))
    return msgspec.structs.replace(found, excepted=tuple(dict.fromkeys(one for one in names if one)))


def _first(org: uuid.UUID, actor: Actor) -> words.Told:
    """A report needs the key of the version it will be compared with: the first is made by the first look."""
    with act(org, Permission.READ, actor=actor) as doing:
        number, told = current(org)
        if not number:
            write(doing, told, "first version")
        doing.event("detection.begun", on=[org])
    return told


def _looked(answer: InspectAnswer) -> Found:
    return Found(answer.findings, answer.shown, answer.unread)
