"""What replies ask for: the table reactions.toml, read once. Pure."""

import re
import tomllib
from importlib import resources
from typing import Final

import msgspec

from carepost.pace import providers
from carepost.pace.limits import UNLIMITED, Limits

_MINUTE: Final = 60_000_000


class Reaction(msgspec.Struct, frozen=True):
    id: str
    #: groups; empty: every one
    groups: frozenset[str]
    pattern: re.Pattern[str]
    #: so many within an hour
    times: int
    #: microseconds
    lasts: int
    words: str
    suspend: bool = False
    ladder: bool = False
    limits: Limits = UNLIMITED


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    match: str
    minutes: int
    words: str
    provider: tuple[str, ...] = ()
    times: int = 1
    suspend: bool = False
    ladder: bool = False
    per_minute: int = 0
    connections: int = 0
    messages: int = 0
    dials: int = 0


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    reaction: tuple[_Row, ...]


def _read() -> tuple[Reaction, ...]:
    text = resources.files("carepost.pace").joinpath("reactions.toml").read_text("utf-8")
    rows = msgspec.convert(tomllib.loads(text), _Table).reaction
    return tuple(_reaction(row) for row in rows)


def _reaction(row: _Row) -> Reaction:
    if not set(row.provider) <= set(providers.TABLE):
        raise ValueError(f"{row.id} names a provider that is not in the table")
    return Reaction(
        id=row.id,
        groups=frozenset(row.provider),
        pattern=re.compile(row.match, re.IGNORECASE),
        times=row.times,
        lasts=row.minutes * _MINUTE,
        words=row.words,
        suspend=row.suspend,
        ladder=row.ladder,
        limits=Limits(connections=row.connections, messages=row.messages, per_minute=row.per_minute, dials=row.dials),
    )


TABLE: Final = _read()
BY_ID: Final = {one.id: one for one in TABLE}


def matched(group: str, text: str) -> list[Reaction]:
    """Those a refusal of this group speaks of. `text`: the reply on one line, code first (`rfc.reply.Reply.text`)."""
    return [one for one in TABLE if (not one.groups or group in one.groups) and one.pattern.search(text)]


def words(id_: str) -> str:
    """ "" for one that is no longer in the table."""
    known = BY_ID.get(id_)
    return known.words if known is not None else ""
