"""MTA-STS (RFC 8461) and TLS reports (RFC 8460): that others reach the domain's mail servers encrypted, and say so
where they cannot. The policy file is asked for as senders do, over HTTPS (`Record.POLICY`)."""

import re
from typing import Final

from carepost.rfc.asking import Course, Question, Record
from carepost.senders.answers import Lines, texts, txt
from carepost.senders.types import Asked, Line, Part, Sts

_WHY_STS: Final = "Others deliver to you only encrypted and to the servers you name; nobody between can take that away."
_WHY_FILE: Final = "The policy itself, as others fetch it."
_WHY_REPORTS: Final = "Others tell you once a day when they could not reach you encrypted."


def check(asked: Asked) -> Course[list[Line]]:
    found = [(yield from _record(asked))]
    if asked.sts is not None or found[0].right:
        found.append((yield from _file(asked)))
    found.append((yield from _reports(asked)))
    return found


def text_of(sts: Sts) -> str:
    """The policy file (RFC 8461 3.2)."""
    hosts = "".join(f"mx: {host}\r\n" for host in sts.mx)
    return f"version: STSv1\r\nmode: {sts.mode}\r\n{hosts}max_age: {sts.max_age}\r\n"


def _record(asked: Asked) -> Course[Line]:
    sts, name = asked.sts, f"_mta-sts.{asked.domain}"
    wanted = f"v=STSv1; id={sts.id}" if sts is not None else ""
    lines = Lines(Part.MTA_STS, name, "TXT", _WHY_STS, wanted=wanted, needed=sts is not None)
    answer = yield from txt(name)
    if answer.failed:
        return lines.unknown()
    found = texts(answer, lambda text: text.startswith("v=STSv1"))
    if len(found) > 1:
        return lines.different("several", "Others pass over several records. Leave one.", found)
    if sts is None:
        if found:
            return lines.right("elsewhere", found=found)
        return lines.missing((yield from _advice(asked)))
    if not found:
        return lines.missing("Others do not look for the policy that is served here: publish the record.")
    shown = re.search(r"(?:^|;)\s*id\s*=\s*([A-Za-z0-9]{1,32})\s*(?:;|$)", found[0])
    if shown is None or shown[1] != sts.id:
        return lines.different(
            "other-id", "The policy has changed since: publish the new id, and others fetch it.", found
        )
    return lines.right(found=found)


def _advice(asked: Asked) -> Course[str]:
    """The command whole, with the servers the domain's mail goes to now: a policy must name every one of them."""
    mx = yield Question(Record.MX, asked.domain)
    named = [name.rstrip(".").lower() for name in mx.names if name.rstrip(".")]
    given = " ".join(f"--mx {host}" for host in named or ["HOST"])
    return (
        "Others may deliver to you without proof of your server. Have the policy served here: on the domain's page "
        f"or by: carepost domain mta-sts {asked.domain} testing {given}"
    )


def _file(asked: Asked) -> Course[Line]:
    sts, host = asked.sts, f"mta-sts.{asked.domain}"
    wanted = text_of(sts) if sts is not None else ""
    name = f"https://{host}/.well-known/mta-sts.txt"
    lines = Lines(Part.MTA_STS_FILE, name, "HTTPS", _WHY_FILE, wanted=wanted, needed=sts is not None)
    answer = yield Question(Record.POLICY, asked.domain)
    found = texts(answer)
    if answer.failed:
        leads = f" {host} must lead to {sts.host}, and" if sts is not None and sts.host else f" {host} must answer, and"
        todo = f"It could not be fetched.{leads} the certificate there must name it."
        there = yield Question(Record.A, host)
        if there.void:
            return lines.missing(todo, "no-host")
        return lines.unknown("not-fetched", todo)
    if sts is not None and _plain(found[0] if found else "") != _plain(wanted):
        return lines.different("other-policy", "Another policy is served there than the one chosen here.", found)
    mx = yield Question(Record.MX, asked.domain)
    allowed = re.findall(r"(?m)^mx:[ \t]*(\S+)", found[0] if found else "")
    outside = [host for host in mx.names if not any(_allows(pattern.lower(), host.lower()) for pattern in allowed)]
    if outside and not re.search(r"(?m)^mode:[ \t]*none", found[0] if found else ""):
        todo = f"It does not name {outside[0]}, to which your mail is delivered: mail would not reach you there."
        return lines.different("mx-outside", todo, found)
    return lines.right(found=found)


def _plain(text: str) -> str:
    return "\n".join(line.strip() for line in text.replace("\r", "").split("\n") if line.strip())


def _allows(pattern: str, host: str) -> bool:
    """RFC 8461 4.1: a wildcard stands for exactly one label."""
    host = host.rstrip(".")
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def _reports(asked: Asked) -> Course[Line]:
    name = f"_smtp._tls.{asked.domain}"
    wanted = f"v=TLSRPTv1; rua=mailto:{asked.tls}"
    lines = Lines(Part.TLS_REPORTS, name, "TXT", _WHY_REPORTS, wanted=wanted, needed=False)
    answer = yield from txt(name)
    if answer.failed:
        return lines.unknown()
    found = texts(answer, lambda text: text.startswith("v=TLSRPTv1"))
    if len(found) > 1:
        return lines.different("several", "Others pass over several records. Leave one.", found)
    if not found:
        return lines.missing("Without it nobody tells you when mail to you cannot be encrypted. Publish it.")
    if not re.search(r";\s*rua\s*=\s*(mailto:|https:)", found[0], re.IGNORECASE):
        return lines.different("no-address", "It names no address for the reports.", found)
    return lines.right(found=found, wanted=found[0])
