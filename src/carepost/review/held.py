"""What waits for a person, as one who may decide about it sees it. Each look is an event before it is shown (law 7)."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.archive import acts as looks
from carepost.archive import books, inspected
from carepost.archive.models import Delivery
from carepost.crypto.rest import Damaged
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.mailbox import content as contents
from carepost.mailbox import door
from carepost.policy import rule_words
from carepost.policy.explain import rule_name
from carepost.proof import kinds
from carepost.review import words
from carepost.tenancy import scope
from carepost.tenancy.actions.policy import in_force, rules_of
from carepost.tenancy.models import ApiKey, Credential, Organisation, Staff
from carepost.tenancy.permissions import Permission, holders
from carepost.wire import doors
from carepost.wire.types import ANY_HELD, Actor, HeldFilter, HeldView, WayView

#: deliveries of one page at most; pages of the engine's looked through for one of a kind
MOST: Final = 200
_PAGES: Final = 10


class Who(msgspec.Struct, frozen=True):
    """Who asks, and what else they are known by: nobody approves their own message."""

    actor: Actor
    also: tuple[str, ...] = ()


def staff(org: uuid.UUID, somebody: Staff) -> Who:
    """A member of staff, with their address, credentials and keys."""
    mine = {"org_id": org, "owner_id": somebody.pk}
    with scope.organisation(org):
        credentials = [f"credential:{pk}" for pk in Credential.objects.filter(**mine).values_list("pk", flat=True)]
        keys = [f"key:{pk}" for pk in ApiKey.objects.filter(**mine).values_list("pk", flat=True)]
    return Who(Actor("staff", str(somebody.pk)), (somebody.email, *credentials, *keys))


class Page(msgspec.Struct, frozen=True):
    rows: tuple[HeldView, ...]
    #: hand it back for the next page; "" at the end
    cursor: str = ""


class Rule(msgspec.Struct, frozen=True):
    """The rule that holds it, in words; nobody is named in them."""

    name: str
    says: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()


class Detail(msgspec.Struct, frozen=True):
    view: HeldView
    kind: str
    #: the first is what the rules decide
    ways: tuple[WayView, ...]
    rule: Rule
    #: kinds and counts of what was found, masked: no value was ever kept
    findings: tuple[str, ...] = ()
    #: names of those who approved, and of those whose approval counts no more because they may not approve now
    approved: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()


def listing(
    org: uuid.UUID,
    who: Who,
    *,
    kind: str = "",
    cursor: str = "",
    limit: int = 50,
    only: HeldFilter = ANY_HELD,
) -> Page:
    """Newest held first. `kind`: of `words.KINDS`. A page may have few rows, or none, and a cursor all the same: so far
    it was looked. Raises NotFound (forbidden), Refused (a cursor that is none), Unavailable."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    size = max(1, min(limit, MOST))
    at = _place(cursor)
    found: list[HeldView] = []
    for _ in range(_PAGES):
        call = doors.Held(org.bytes, who.actor, who.also, words.REASONS.get(kind, ()), at, size, only)
        answer = door.client().held(call)
        found += [v for v in answer.deliveries if not kind or words.kind(v) == kind]
        at = answer.floor
        if at is None or len(found) >= size:
            break
    entitled = approvers(org)
    rows = tuple(_counting(view, entitled) for view in found[:size])
    _listed(org, who, rows)
    if len(found) > size:
        at = rows[-1].since, ids.parse(rows[-1].id)
    return Page(rows, f"{at[0]}.{ids.text(at[1])}" if at is not None else "")


def one(org: uuid.UUID, who: Who, delivery: bytes) -> Detail:
    """Raises NotFound (absent, another organisation's, forbidden), Unavailable."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    answer = door.client().review(doors.Review(org.bytes, delivery, who.actor, who.also))
    given, view = answer.delivery.approved, _counting(answer.delivery, approvers(org))
    _listed(org, who, (view,))
    with scope.organisation(org):
        rule, approved = _rule(org, view.rule), _names(view.approved)
        lapsed = _names(tuple(one for one in given if one not in view.approved))
    look = inspected.of_delivery(org.bytes, view.id)
    return Detail(view, words.kind(view), answer.ways, rule, look.lines if look is not None else (), approved, lapsed)


def approvers(org: uuid.UUID) -> tuple[str, ...]:
    """Who may approve now, as a delivery names them ("staff:<id>")."""
    with scope.organisation(org):
        return tuple(f"staff:{one}" for one in sorted(holders(org, Permission.RELEASE)))


def where(org: uuid.UUID, who: Who, delivery: bytes) -> uuid.UUID | None:
    """The message of a delivery that its shard has forgotten, by history. Raises NotFound (forbidden)."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    with scope.organisation(org):
        known = Delivery.objects.filter(org_id=org, id=uuid.UUID(bytes=delivery))
        return known.values_list("message", flat=True).first()


def content(org: uuid.UUID, who: Who, delivery: bytes) -> tuple[HeldView, contents.Content]:
    """The message itself, for who may read messages; the showing is on record first. Raises NotFound, Unavailable."""
    looks.allowed(org.bytes, who.actor, Permission.RELEASE)
    looks.allowed(org.bytes, who.actor, Permission.READ)
    view = door.client().review(doors.Review(org.bytes, delivery, who.actor, who.also)).delivery
    if view.state != "held":
        raise NotFound
    message = ids.parse(view.message)
    stored = door.client().body(org.bytes, message)
    looks.record(kinds.MESSAGE_VIEWED, org.bytes, who.actor, on=[view.message, view.id])
    try:
        raw = books.opener().body(org.bytes, message, stored)
    except Damaged:
        raise Refused("damaged", "What is stored of this message cannot be opened.", status=409) from None
    return view, contents.read(raw)


def count(org: uuid.UUID) -> int:
    """How many deliveries wait. Raises Unavailable."""
    return door.client().waits().get(org.bytes, (0, 0, 0))[0]


def _counting(view: HeldView, entitled: tuple[str, ...]) -> HeldView:
    """With the approvals that count: an engine keeps who gave one, and learns at the next who may still."""
    still = tuple(one for one in view.approved if one in entitled)
    return view if len(still) == len(view.approved) else msgspec.structs.replace(view, approved=still)


def _listed(org: uuid.UUID, who: Who, rows: Sequence[HeldView]) -> None:
    on = list(dict.fromkeys(view.message for view in rows))
    looks.record(kinds.MESSAGE_LISTED, org.bytes, who.actor, on=on, facts={"count": str(len(on))})


def _place(cursor: str) -> tuple[int, bytes] | None:
    if not cursor:
        return None
    since, _, id_ = cursor.partition(".")
    try:
        if not since.isascii() or not since.isdigit() or len(since) > 18:
            raise ValueError
        return int(since), ids.parse(id_)
    except ValueError:
        raise Refused("bad-cursor", "This cursor is none of ours; begin at the first page.", status=422) from None


def _rule(org: uuid.UUID, name: str) -> Rule:
    """By its name, as it stands now; one that is gone or built in is named alone."""
    rules = rules_of(in_force(Organisation.objects.get(pk=org)))
    found = next((r.rule for r in rules if r.rule.id == name), None)
    if found is None:
        return Rule(rule_name(name))
    says = tuple(rule_words.says(found, persons=False))
    return Rule(rule_name(name), says, tuple(rule_words.applies(found, persons=False)))


def _names(approved: tuple[str, ...]) -> tuple[str, ...]:
    numbers = [one.removeprefix("staff:") for one in approved if one.startswith("staff:")]
    return tuple(Staff.objects.filter(pk__in=numbers).order_by("name").values_list("name", flat=True))
