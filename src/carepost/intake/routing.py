"""Recipients that rules add at the door: a redirect takes a recipient's place, a copy goes beside it. One body, and a
delivery of its own for each (law 2), decided like any other and never with less than the one it was made for; what a
rule made is on record as made by that rule."""

from collections.abc import Iterable

import msgspec

from carepost.directory.types import OrgSnapshot
from carepost.intake.facts import About, gather
from carepost.policy import rules
from carepost.policy.content import NOTHING_IN_IT
from carepost.policy.decide import required
from carepost.policy.types import Assurance, Seen, Ternary
from carepost.queue.types import DeliveryRecord
from carepost.rfc.envelope import Recipient
from carepost.wire.types import AccessProof, Submission


class Via(msgspec.Struct, frozen=True):
    """Why a delivery is there that nobody asked for. how: redirect | copy; `of`: the recipient of the envelope;
    `floor`: the least that is required for that recipient's own copy, or for the strictest of several."""

    how: str
    rule: str
    of: str
    floor: Assurance = Assurance.NONE


class Routed(msgspec.Struct, frozen=True):
    recipient: Recipient
    #: None: of the envelope
    via: Via | None = None
    tags: tuple[str, ...] = ()


def routed(snapshot: OrgSnapshot, about: About, recipients: Iterable[Recipient]) -> list[Routed]:
    """Each address once; what rules made is not routed again. A copy of somebody who is asked for anyway is none."""
    asked = tuple(recipients)
    taken = {r.address.lower() for r in asked}
    floors: dict[str, Assurance] = {}
    found: list[Routed] = []
    copies: list[Routed] = []
    for recipient in asked:
        effect = rules.effect(gather(snapshot, Seen(), about, recipient.address, Ternary.NO))
        target = effect.redirect
        made = [address.lower() for address in (target, *(copy for copy, _ in effect.copies)) if address]
        if made:
            least = _least(snapshot, about, recipient.address)
            floors |= {address: max(least, floors.get(address, least)) for address in made}
        if not target or target.lower() == recipient.address.lower():
            found.append(Routed(recipient, None, effect.tags))
        elif not any(r.recipient.address.lower() == target.lower() for r in found):
            via = Via("redirect", effect.redirect_by, recipient.address)
            found.append(Routed(Recipient(target, recipient.notify), via, effect.tags))
        for address, rule in effect.copies:
            if address.lower() not in taken:
                taken.add(address.lower())
                # its end is no matter of the sender's
                via = Via("copy", rule, recipient.address)
                copies.append(Routed(Recipient(address, ("NEVER",)), via))
    return [_held_to(one, floors) for one in _once([*found, *copies])]


def _least(snapshot: OrgSnapshot, about: About, recipient: str) -> Assurance:
    """What is required for this recipient, whatever the message contains: a rule about content asks the same of every
    copy, once somebody has looked."""
    facts = gather(snapshot, Seen(), about, recipient, Ternary.NO, content=NOTHING_IN_IT)
    return required(facts, rules.effect(facts))[0]


def _held_to(one: Routed, floors: dict[str, Assurance]) -> Routed:
    if one.via is None:
        return one
    floor = floors[one.recipient.address.lower()]
    return msgspec.structs.replace(one, via=msgspec.structs.replace(one.via, floor=floor))


def _once(found: list[Routed]) -> list[Routed]:
    """The first of equal addresses counts."""
    once: dict[str, Routed] = {}
    for one in found:
        once.setdefault(one.recipient.address.lower(), one)
    return list(once.values())


def about_for(about: About, via: Via | None) -> About:
    """A secret agreed with the recipient opens nothing for anybody else; what they are protected by, everybody is."""
    if via is None:
        return about
    return msgspec.structs.replace(
        about, access=AccessProof(), asked_floor=_stricter(about.asked_floor, via), made=True
    )


def _stricter(asked: Assurance | None, via: Via) -> Assurance:
    return via.floor if asked is None else max(asked, via.floor)


def tagged(submission: Submission, found: Iterable[Routed]) -> Submission:
    """With the tags that rules give, of all its recipients."""
    tags = dict.fromkeys((*submission.tags, *(tag for one in found for tag in one.tags)))
    return msgspec.structs.replace(submission, tags=tuple(tags)) if len(tags) > len(submission.tags) else submission


def marked(record: DeliveryRecord, via: Via) -> DeliveryRecord:
    return msgspec.structs.replace(
        record,
        made_by=via.how,
        access=AccessProof(),
        asked_floor=_stricter(record.asked_floor, via),
        words=f"{sentence(via)} {record.words}".strip(),
    )


def sentence(via: Via) -> str:
    if via.how == "copy":
        return f"A copy by the rule {via.rule}."
    return f"The rule {via.rule} sends it here instead."
