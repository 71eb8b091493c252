"""Who runs a mail host: the provider group of an MX name. Pure; the table is providers.toml."""

import ipaddress
import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec
from publicsuffixlist import PublicSuffixList

from carepost.pace.limits import Limits

#: what mail systems without a group of their own are treated as
DEFAULT: Final = "default"
#: what may name a group: one of the table, or the registrable domain of mail hosts
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


class Provider(msgspec.Struct, frozen=True):
    id: str
    #: for people
    name: str
    mx: tuple[str, ...]
    limits: Limits


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    mx: tuple[str, ...]
    connections: int
    messages: int
    per_minute: int = 0
    dials: int = 0


def _read() -> dict[str, Provider]:
    text = resources.files("carepost.pace").joinpath("providers.toml").read_text("utf-8")
    rows = msgspec.convert(tomllib.loads(text), dict[str, _Row])
    return {
        id_: Provider(
            id_,
            row.name,
            row.mx,
            Limits(connections=row.connections, messages=row.messages, per_minute=row.per_minute, dials=row.dials),
        )
        for id_, row in rows.items()
    }


TABLE: Final = _read()
_SUFFIXES: Final = {suffix: provider.id for provider in TABLE.values() for suffix in provider.mx}


@lru_cache(maxsize=8192)
def group(host: str) -> str:
    """The group of an MX host, in any case and with or without a final dot: an id of the table, else the registrable
    domain of the host, else (an address, a name of one label) the host itself; "" for no host."""
    name = host.rstrip(".").lower()
    labels = name.split(".")
    for at in range(len(labels)):
        known = _SUFFIXES.get(".".join(labels[at:]))
        if known is not None:
            return known
    return registrable(name)


def registrable(name: str) -> str:
    """The part of a host's name that somebody registered, by the public suffix list as it came with this release
    (publicsuffix.org, also where companies let names): "mx.hospital.nhs.uk" is "hospital.nhs.uk". An address, a name
    of one label, and a name that is a suffix itself are as they are."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return _suffixes().privatesuffix(name) or name
    return name


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Read at the first host that is in no group of the table: a tenth of a second, 2 MB, no network."""
    return PublicSuffixList()


def named(group_id: str) -> bool:
    """A group with limits of its own."""
    return group_id in TABLE and group_id != DEFAULT


def find(group_id: str) -> Provider:
    """One that is not in the table has the limits of `default` and is called by its own name."""
    known = TABLE.get(group_id)
    if known is not None:
        return known
    return Provider(group_id, group_id, (), TABLE[DEFAULT].limits)
