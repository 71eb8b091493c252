"""Where a sender domain's mail comes back to, where its links lead, and how the addresses it leaves from are named."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from carepost.rfc.asking import Course, Question, Record
from carepost.senders import spf
from carepost.senders.answers import NAMELESS, Lines
from carepost.senders.types import Address, Asked, Line, Part

_WHY_MX: Final = "Answers to your mail, and reports that it could not be delivered, go there."
_WHY_RETURN: Final = "Reports of failed delivery come back there, and this system learns which addresses are gone."
_WHY_TRACKING: Final = "Links in mail that is tracked lead over this name, so that they are yours."
_WHY_REVERSE: Final = "Large receivers refuse mail from an address whose name does not lead back to it."
_WHY_HELO: Final = "The name this system says of itself must lead to the address it calls from."


def check(asked: Asked, addresses: Sequence[Address]) -> Course[list[Line]]:
    found = [(yield from _mx(asked))]
    if asked.return_path:
        found.append((yield from _return_mx(asked)))
        found.append((yield from spf.check(asked.return_path, addresses, asked.host, returns=True)))
    else:
        lines = Lines(Part.RETURN_MX, asked.domain, "MX", _WHY_RETURN, needed=False)
        todo = f"Choose a name below the domain: carepost suppression return-path bounce.{asked.domain}"
        found.append(lines.missing(todo, "not-set"))
    if asked.tracking:
        found.append((yield from _tracking(asked)))
    if not asked.host and not all(address.helo for address in addresses or (Address("", ""),)):
        lines = Lines(Part.HELO, asked.domain, "A", _WHY_HELO)
        found.append(lines.missing(NAMELESS.format(domain=asked.domain), "no-name"))
    for address in addresses:
        if address.helo or asked.host:
            found.extend((yield from _address(address, asked.host)))
    return found


def own_name(host: str) -> str:
    """This system's name as others may know it; "" for one that means every machine (localhost) or none."""
    name = host.strip().rstrip(".").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name if "." in name and not name.endswith((".localdomain", ".localhost")) else ""
    return ""


def of_host(host: str) -> Course[tuple[Address, ...]]:
    """The addresses of this system's name, where nobody said from which mail leaves."""
    if not host:
        return ()
    v4 = yield Question(Record.A, host)
    v6 = yield Question(Record.AAAA, host)
    return tuple(Address(ip, host) for ip in (*v4.names, *v6.names)[:8])


def _mx(asked: Asked) -> Course[Line]:
    lines = Lines(Part.MX, asked.domain, "MX", _WHY_MX)
    answer = yield Question(Record.MX, asked.domain)
    if answer.failed:
        return lines.unknown()
    if not answer.names:
        return lines.missing("Answers find no way back, and receivers distrust such a domain. Name your mail server.")
    return lines.right(found=answer.names)


def _return_mx(asked: Asked) -> Course[Line]:
    lines = Lines(Part.RETURN_MX, asked.return_path, "MX", _WHY_RETURN, wanted=f"10 {asked.host}" if asked.host else "")
    answer = yield Question(Record.MX, asked.return_path)
    if answer.failed:
        return lines.unknown()
    if not asked.host:
        return lines.different("no-name", NAMELESS.format(domain=asked.domain), answer.names)
    if not answer.names:
        return lines.missing("Nothing comes back to this system, and receivers may refuse the mail: publish the MX.")
    if asked.host.lower() not in {name.rstrip(".").lower() for name in answer.names}:
        return lines.different("elsewhere", "It leads to another system: reports do not come here.", answer.names)
    if len(answer.names) > 1:
        return lines.different(
            "also-elsewhere", "A part of the reports goes to another system. Leave one.", answer.names
        )
    return lines.right(found=answer.names)


def _tracking(asked: Asked) -> Course[Line]:
    to = asked.tracking_to
    lines = Lines(Part.TRACKING, asked.tracking, "CNAME", _WHY_TRACKING, wanted=to)
    alias = yield Question(Record.CNAME, asked.tracking)
    if alias.failed:
        return lines.unknown()
    if alias.names and alias.names[0].rstrip(".").lower() == to.lower():
        return lines.right(found=alias.names)
    there = yield Question(Record.A, asked.tracking)
    wanted = yield Question(Record.A, to)
    if there.failed or wanted.failed:
        return lines.unknown(found=alias.names)
    if not there.names:
        return lines.missing("Links lead nowhere: publish the CNAME.")
    if wanted.names and set(there.names) <= set(wanted.names):
        return lines.right("by-address", found=there.names)
    return lines.different("elsewhere", "It leads to another system.", alias.names or there.names)


def _address(address: Address, host: str) -> Course[list[Line]]:
    """FCrDNS, and HELO."""
    ip = ipaddress.ip_address(address.ip)
    helo = address.helo or host
    family = Record.A if ip.version == 4 else Record.AAAA
    reverse = Lines(Part.REVERSE, address.ip, "PTR", _WHY_REVERSE, wanted=helo)
    answer = yield Question(Record.PTR, ip.reverse_pointer)
    if answer.failed:
        line = reverse.unknown()
    elif not answer.names:
        line = reverse.missing("It has no name. Ask whoever gave you the address to name it.")
    else:
        line = yield from _leads_back(reverse, answer.names, ip, family, helo)
    hello = Lines(Part.HELO, helo, family.value, _WHY_HELO, wanted=address.ip)
    there = yield Question(family, helo)
    if there.failed:
        return [line, hello.unknown()]
    if not there.names:
        return [line, hello.missing("The name has no such address in DNS: publish it.")]
    if not any(ipaddress.ip_address(one) == ip for one in there.names):
        return [
            line,
            hello.different("elsewhere", "It leads to another address than the one mail leaves from.", there.names),
        ]
    return [line, hello.right(found=there.names)]


def _leads_back(
    lines: Lines, names: tuple[str, ...], ip: ipaddress.IPv4Address | ipaddress.IPv6Address, family: Record, helo: str
) -> Course[Line]:
    failed = False
    for name in names[:4]:
        back = yield Question(family, name)
        failed = failed or back.failed
        if any(ipaddress.ip_address(one) == ip for one in back.names):
            if name.rstrip(".").lower() == helo.lower():
                return lines.right(found=names)
            return lines.right("other-name", f"It is better named as this system calls itself: {helo}.", names, helo)
    if failed:
        return lines.unknown(found=names)
    return lines.different("no-way-back", "Its name does not lead back to it. Let the name have this address.", names)
