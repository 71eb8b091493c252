"""Addresses of machines outside that an organisation enters (webhooks): which may be called at all.

Checked when one is entered, and again with every address its name leads to when it is called (BI-090). The allow-list
of the settings opens hosts of the own network by name, address or network; loopback is for sandbox homes, and nothing
opens link-local addresses, where clouds keep their machines' credentials."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from carepost.ground.errors import ConfigError, Refused

#: characters of an address
MOST: Final = 2000
#: below it only the ports of the web
_PORTS: Final = frozenset({80, 443})
_FIRST_PORT: Final = 1024
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
#: a last label like these is read as a number by some: decimal and hexadecimal addresses
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
#: names that lead into the own network or nowhere
_INSIDE: Final = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Wrong(Refused):
    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public, status=422)


class Place(msgspec.Struct, frozen=True):
    """`https://host:port/path?query` in parts. `literal`: the host is an address."""

    secure: bool
    host: str
    port: int
    path: str
    literal: bool = False

    @property
    def authority(self) -> str:
        """As the field Host says it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


class Allowed:
    """What the settings open besides the public network. Immutable."""

    def __init__(self, entries: tuple[str, ...] = (), *, sandbox: bool = False) -> None:
        """Raises ConfigError for an entry that is neither name, address nor network."""
        self.sandbox = sandbox
        self.names: frozenset[str] = frozenset()
        self.networks: tuple[Network, ...] = ()
        for entry in (one.strip().lower().rstrip(".") for one in entries):
            if not entry:
                continue
            try:
                self.networks += (ipaddress.ip_network(entry),)
            except ValueError:
                if not _HOST.fullmatch(entry) or _NUMBER.fullmatch(entry.rpartition(".")[2]):
                    raise ConfigError(
                        f"The setting webhook_hosts names {entry!r}, which is no host name, address or network "
                        "(10.1.2.0/24)."
                    ) from None
                self.names |= {entry}

    def address(self, address: str, host: str, public: bool = True) -> bool:
        """Whether `address`, which `host` leads to, may be called; not `public`: only where the settings open it."""
        ip = plain(address)
        if ip is None:
            return False
        if ip.is_loopback:
            return self.sandbox and host in ("localhost", address)
        if public and not private(address):
            return True
        if nobodys(ip):
            return False
        return host in self.names or any(ip.version == net.version and ip in net for net in self.networks)


def plain(address: str) -> Ip | None:
    """None for what is no address, and for an IPv4 address dressed as another (RFC 4291 2.5.5.2)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return None if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None else ip


def nobodys(ip: Ip) -> bool:
    """No server of anybody's is there; at link-local ones, clouds keep their machines' credentials."""
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified


def place(url: str, allowed: Allowed) -> Place:
    """The parts of an address as it was typed. Raises Wrong saying what is not possible with it."""
    text = url.strip()
    if len(text) > MOST or not text.isascii() or any(c <= " " or c in '\x7f"<>\\^`{|}' for c in text):
        raise Wrong("bad-url", f"An address has at most {MOST} ASCII characters, without blanks.")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Wrong("bad-url", "This is not an address like https://host/path.") from None
    if parts.scheme not in ("https", "http") or not host:
        raise Wrong("bad-url", "An address begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Wrong("bad-url", "Leave out user names, passwords and what stands behind #; calls are signed.")
    literal = _literal(host)
    _host(host, literal, allowed)
    here = allowed.sandbox and (host == "localhost" or (literal is not None and literal.is_loopback))
    if parts.scheme == "http" and not here:
        raise Wrong("not-https", "An address begins with https://: what is told must not be read on the way.")
    number = port if port is not None else 443 if parts.scheme == "https" else 80
    if number not in _PORTS and number < _FIRST_PORT:
        raise Wrong("bad-port", f"The port is 443, or one from {_FIRST_PORT} on.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme == "https", host, number, path, literal is not None)


def _host(host: str, literal: Ip | None, allowed: Allowed) -> None:
    inside = (
        "The host lies in a network of our own; an administrator of this installation can allow it (webhook_hosts)."
    )
    if literal is not None:
        # a bare address has no name a certificate could prove to a stranger: only what the settings open
        if not allowed.address(host, host, public=False):
            raise Wrong("not-public", inside if not literal.is_global else "Name the host, not its address.")
        return
    if not _HOST.fullmatch(host) or len(host) > 253 or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise Wrong("bad-url", "This is not the name of a host.")
    if host in allowed.names or (allowed.sandbox and host == "localhost"):
        return
    if "." not in host or any(host == end or host.endswith(f".{end}") for end in _INSIDE):
        raise Wrong("not-public", inside)


def _literal(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def private(address: str) -> bool:
    """Not an address of the public network, however it is written (BI-029)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return private(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo is not None else None)
        if inner is not None:
            return private(str(inner))
    return not ip.is_global or ip.is_multicast or ip.is_reserved


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
