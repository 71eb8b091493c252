"""Shapes of the API about sender domains: records beside what DNS says, keys, rules of mailbox providers."""

from typing import Annotated

import msgspec

from carepost.senders.bulk import Judged
from carepost.senders.history import Day, Entry
from carepost.senders.types import Key, Line


class DomainView(msgspec.Struct, frozen=True):
    """`checked_at`: UTC microseconds of the newest look at DNS; 0: there was none. `wrong`: records that mail needs and
    that are missing or different. `rotate_days` 0: keys change only when somebody asks."""

    domain: str
    checked_at: int
    wrong: int
    records: tuple[Line, ...]
    keys: tuple[Key, ...]
    rules: tuple[Judged, ...]
    rotate_days: int
    keep_days: int
    mta_sts: str


class DomainHistory(msgspec.Struct, frozen=True):
    """`days`: oldest first, up to today, each of them; `changes`: newest first, at most 100 of DNS. `more`: there are
    older ones."""

    domain: str
    days: tuple[Day, ...]
    changes: tuple[Entry, ...]
    more: bool


class Signing(msgspec.Struct, frozen=True):
    """The DKIM keys of a domain after what was asked."""

    domain: str
    keys: tuple[Key, ...]


class NextKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`algorithms`: rsa-sha256, ed25519-sha256; none means those in use."""

    algorithms: Annotated[tuple[str, ...], msgspec.Meta(max_length=2)] = ()


class RevokeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ChangeDomain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays."""

    rotate_days: Annotated[int, msgspec.Meta(ge=0, le=730)] | None = None
    keep_days: Annotated[int, msgspec.Meta(ge=5, le=365)] | None = None


class ServePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`mode`: testing | enforce | none; "": no policy is served here. `max_age`: seconds."""

    mode: Annotated[str, msgspec.Meta(max_length=10)]
    mx: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=255)], ...], msgspec.Meta(max_length=20)] = ()
    max_age: Annotated[int, msgspec.Meta(ge=86_400, le=31_557_600)] = 604_800
