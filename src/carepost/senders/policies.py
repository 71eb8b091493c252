"""DMARC (RFC 9989) of a sender domain: which policy holds, whether what we send is aligned with From, and whether the
reports it asks for may come (RFC 9990 4)."""

import re
from typing import Final

from carepost.rfc import dmarc
from carepost.rfc.asking import Course
from carepost.rfc.dmarc import Identified, Policy, Verdict
from carepost.senders.answers import Lines, texts, txt
from carepost.senders.types import Asked, Line, Part

_WHY: Final = "It tells receivers what to do with mail in your name that is not proved, and where to report about it."
_WHY_REPORTS: Final = "Reports go to another domain only where that domain says that it takes them."
_VERSION: Final = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(;|$)")
#: addresses of reports that are followed
_MOST: Final = 3
_NONE: Final = (
    "Mail of others in your name is still delivered. When the reports show all of yours proved, raise it to "
    "p=quarantine, then to p=reject."
)


def check(asked: Asked) -> Course[list[Line]]:
    """The record that holds for the domain, and one line for each foreign domain that gets its reports."""
    name = f"_dmarc.{asked.domain}"
    lines = Lines(Part.DMARC, name, "TXT", _WHY, wanted=f"v=DMARC1; p=none; rua=mailto:{asked.dmarc}")
    answer = yield from txt(name)
    if answer.failed:
        return [lines.unknown()]
    found = texts(answer, lambda text: _VERSION.match(text) is not None)
    if len(found) > 1:
        return [lines.different("several", "Receivers pass over several records. Leave one.", found, _strictest(found))]
    policy = dmarc.parse(found[0].encode()) if found else None
    if found and policy is None:
        return [lines.different("syntax", "Receivers cannot read it, and count it as missing. Correct it.", found)]
    verdict = yield from dmarc.evaluate(asked.domain, [Identified("dkim", asked.domain)])
    if verdict.result == "temperror":
        return [lines.unknown(found=found)]
    if verdict.result == "none":
        todo = "Large mailbox providers put bulk mail without it aside. Publish it; p=none breaks no mail."
        return [lines.missing(todo)]
    if policy is None:
        return [(yield from _inherited(asked, lines, verdict))]
    one = yield from _own(asked, lines, policy, found)
    return [one, *(yield from _reports(asked, policy))]


def _strictest(found: tuple[str, ...]) -> str:
    """The record that asks most of receivers: to leave that one protects as much as was meant."""
    asks = ("none", "quarantine", "reject")
    read = [(policy, text) for text in found if (policy := dmarc.parse(text.encode())) is not None]
    return max(read, key=lambda one: asks.index(one[0].p) if one[0].p in asks else -1)[1] if read else ""


def _inherited(asked: Asked, lines: Lines, verdict: Verdict) -> Course[Line]:
    """The record of a name above holds (RFC 9989 4.7)."""
    answer = yield from txt(f"_dmarc.{verdict.at}")
    found = tuple(f"{text}   (at _dmarc.{verdict.at})" for text in texts(answer, lambda t: bool(_VERSION.match(t))))
    strict = yield from _misaligned(asked)
    if strict:
        return lines.different("not-aligned", strict, found)
    return lines.right("inherited", f"The record of {verdict.at} holds for it; one of its own is not needed.", found)


def _own(asked: Asked, lines: Lines, policy: Policy, found: tuple[str, ...]) -> Course[Line]:
    strict = yield from _misaligned(asked)
    if strict:
        return lines.different("not-aligned", strict, found, re.sub(r";?\s*aspf\s*=\s*s\s*", "", found[0], flags=re.I))
    if not policy.rua:
        todo = "It asks nobody for reports: without them nobody tells you who sends in your name. Put rua in."
        wanted = f"{found[0].rstrip('; ')}; rua=mailto:{asked.dmarc}"
        return lines.right("no-reports", todo, found, wanted)
    if policy.testing:
        return lines.right("testing", "It says t=y: receivers do one step less than it asks for.", found, found[0])
    if policy.p == "none":
        return lines.right("none", _NONE, found, found[0])
    if policy.sp == "none":
        todo = f"Names below {asked.domain} are not protected: it says sp=none."
        return lines.right("below-open", todo, found, found[0])
    return lines.right(policy.p, found=found, wanted=found[0])


def _misaligned(asked: Asked) -> Course[str]:
    """What to do where SPF at the return path cannot count for From; "" where it does, or there is no return path."""
    if not asked.return_path:
        return ""
    verdict = yield from dmarc.evaluate(asked.domain, [Identified("spf", asked.return_path)])
    if verdict.result != "fail":
        return ""
    if asked.return_path.endswith(f".{asked.domain}"):
        return f"It asks for strict alignment (aspf=s): SPF at {asked.return_path} does not count. Take aspf=s out."
    return (
        f"The return path {asked.return_path} lies below another domain: SPF does not count for mail of "
        f"{asked.domain}. DKIM alone proves it; keep its keys right."
    )


def _reports(asked: Asked, policy: Policy) -> Course[list[Line]]:
    """Addresses outside the domain must be allowed where they lie."""
    found: list[Line] = []
    hosts = dict.fromkeys(
        uri.rpartition("@")[2].partition("!")[0].lower() for uri in policy.rua if uri.lower().startswith("mailto:")
    )
    for host in list(hosts)[:_MOST]:
        if host == asked.domain or host.endswith(f".{asked.domain}") or asked.domain.endswith(f".{host}"):
            continue
        name = f"{asked.domain}._report._dmarc.{host}"
        lines = Lines(Part.DMARC_REPORTS, name, "TXT", _WHY_REPORTS, wanted="v=DMARC1;", needed=False)
        answer = yield from txt(name)
        if answer.failed:
            found.append(lines.unknown())
        elif any(_VERSION.match(text) for text in texts(answer)):
            found.append(lines.right(found=texts(answer)))
        else:
            todo = f"{host} does not say that it takes your reports, so nobody sends them there."
            found.append(lines.missing(todo))
    return found
