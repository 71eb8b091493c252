"""Who runs a mail host: the provider group of an MX name. Pure; the table is providers.toml."""

import ipaddress
import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final

import msgspec

from carepost.pace.limits import Limits

#: what mail systems without a group of their own are treated as
DEFAULT: Final = "default"
#: what may name a group: one of the table, or the registrable domain of mail hosts
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
#: labels under which a country's registry sells names: "hospital.co.uk" is one owner, "co.uk" is none. Without the
#: whole list of suffixes this is what most mail hosts are known by; a wrong guess makes two groups one
_SOLD: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "med", "net", "nhs", "or", "org"})


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
    """The part of a host's name that somebody registered, as well as it can be known without the whole list of public
    suffixes: two labels, three where the second is one that registries sell under."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        return name
    labels = name.split(".")
    if len(labels) <= 2:
        return name
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in _SOLD else 2
    return ".".join(labels[-keep:])


def named(group_id: str) -> bool:
    """A group with limits of its own."""
    return group_id in TABLE and group_id != DEFAULT


def find(group_id: str) -> Provider:
    """One that is not in the table has the limits of `default` and is called by its own name."""
    known = TABLE.get(group_id)
    if known is not None:
        return known
    return Provider(group_id, group_id, (), TABLE[DEFAULT].limits)
