"""Which events an endpoint is told of: by kind, category of the message, tag, and domain of the sender."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from carepost.policy.types import Category
from carepost.proof import kinds
from carepost.tenancy import names

#: of one filter
MOST: Final = 100
#: the levels whose events are told; acts of staff and of the house are not
_LEVELS: Final = frozenset({kinds.MESSAGE, kinds.DELIVERY, kinds.PORTAL, kinds.TRACKING})
#: what a test sends; it passes every filter
TESTED: Final = "webhook.tested"
#: steps on the way that are told only where somebody asks for them by name
_QUIET: Final = frozenset({
    kinds.DELIVERY_ATTEMPTED, kinds.DELIVERY_PLAN_CHANGED, kinds.DELIVERY_INSPECTED, kinds.DELIVERY_HELD_BACK,
    kinds.DELIVERY_REPORTED,
})  # fmt: skip


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Empty: no restriction. `events`: kinds, or `delivery.*`; empty: all but the steps in between."""

    events: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: of the sender, by header From
    domains: tuple[str, ...] = ()

    @property
    def content(self) -> bool:
        """Needs to know what only the message's header says."""
        return bool(self.tags or self.domains)


def offered() -> tuple[str, ...]:
    """Every kind an endpoint may be told of, sorted."""
    return tuple(sorted(kind for kind, info in kinds.KINDS.items() if info.level in _LEVELS))


def checked(given: Filter) -> Filter:
    """In the one form that is stored. Raises Wrong naming what is none."""
    known = frozenset(offered())
    for one in given.events:
        if not _expand(one, known):
            raise names.Wrong("bad-event", f"There is no event {_shown(one)}; the list is in docs/webhooks.md.")
    for one in given.categories:
        if one not in frozenset(Category):
            raise names.Wrong("bad-category", f"A category is one of {', '.join(Category)}.")
    found = Filter(
        _set(given.events), _set(given.categories), _set(names.words(tag, "tag", longest=128) for tag in given.tags),
        _set(names.domain(one) for one in given.domains),
    )  # fmt: skip
    if any(len(part) > MOST for part in (found.events, found.categories, found.tags, found.domains)):
        raise names.Wrong("too-many", f"A filter names at most {MOST} of each.")
    return found


def wanted(given: Filter) -> frozenset[str]:
    """The kinds it lets pass."""
    known = frozenset(offered())
    if not given.events:
        return known - _QUIET
    return frozenset(kind for one in given.events for kind in _expand(one, known))


def encode(given: Filter) -> str:
    return msgspec.json.encode(given).decode()


def decode(stored: str) -> Filter:
    return msgspec.json.decode(stored, type=Filter)


def _expand(one: str, known: frozenset[str]) -> frozenset[str]:
    if one.endswith(".*"):
        return frozenset(kind for kind in known if kind.startswith(one[:-1]))
    return frozenset({one}) & known


def _set(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(given)))


def _shown(typed: str) -> str:
    """What can be repeated in an answer: a word like a kind, else not."""
    return repr(typed) if re.fullmatch(r"[a-z.*-]{1,60}", typed) else "of that name"
