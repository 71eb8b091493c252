"""Which kind of network an address is of, by a table that can be read and replaced (`networks.txt`, or one like it)."""

import functools
import importlib.resources
import ipaddress
from collections.abc import Iterable
from typing import Final

from carepost.ground.errors import ConfigError
from carepost.tracking.types import NETWORKS

#: characters of an address looked at: the longest IPv6 text with a zone
_LONGEST: Final = 64


class Networks:
    """Prefixes with classes. The longest that holds an address counts; what none holds is looked up in `under`."""

    __slots__ = ("_four", "_six", "_under")

    def __init__(self, under: "Networks | None" = None) -> None:
        self._under = under
        #: by length of prefix, longest first: first bits of the address to class
        self._four: dict[int, dict[int, str]] = {}
        self._six: dict[int, dict[int, str]] = {}

    def add(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network, klass: str) -> None:
        table = self._four if network.version == 4 else self._six
        if network.prefixlen not in table:
            table[network.prefixlen] = {}
            ordered = sorted(table.items(), reverse=True)
            table.clear()
            table.update(ordered)
        table[network.prefixlen][int(network.network_address) >> (network.max_prefixlen - network.prefixlen)] = klass

    def __len__(self) -> int:
        return sum(map(len, self._four.values())) + sum(map(len, self._six.values()))

    def klass(self, address: str) -> str:
        """One of `types.NETWORKS`; any text is answered."""
        found = read(address)
        if found is None:
            return "unknown"
        table: Networks | None = self
        while table is not None:
            klass = table._held(int(found), found.max_prefixlen)
            if klass is not None:
                return klass
            table = table._under
        return "unlisted" if found.is_global else "private"

    def _held(self, number: int, width: int) -> str | None:
        for length, prefixes in (self._four if width == 32 else self._six).items():
            klass = prefixes.get(number >> (width - length))
            if klass is not None:
                return klass
        return None


def read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, an IPv4 one out of its IPv6 mapping; None when it is none."""
    if len(address) > _LONGEST:
        return None
    try:
        found = ipaddress.ip_address(address.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def parse(lines: Iterable[str]) -> Networks:
    """A table of lines `prefix class`; `#` begins a comment. ConfigError names the first line that is wrong."""
    table = Networks()
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            prefix, klass = words
            network = ipaddress.ip_network(prefix)
        except ValueError:
            raise ConfigError(f"line {number} of the table of networks is not `prefix class`") from None
        if klass not in NETWORKS:
            raise ConfigError(f"line {number} of the table of networks names no known class: use {', '.join(NETWORKS)}")
        table.add(network, klass)
    return table


@functools.cache
def shipped() -> Networks:
    """The table that ships; about a third of a second to read, once a process."""
    text = importlib.resources.files("carepost.tracking").joinpath("networks.txt").read_text("ascii")
    return parse(text.splitlines())
