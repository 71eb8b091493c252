"""Who sent a message, as far as it can be proved: SPF, DKIM and DMARC of it in one course of questions,
and ARC for the record.

Nothing here decides what becomes of mail, and nothing that cannot be learnt counts as proved."""

import re
from collections.abc import Collection
from typing import Final

import msgspec

from carepost.crypto import arc_verify, dkim_verify
from carepost.crypto.dkim_verify import Signed
from carepost.rfc import authres, dmarc, spf_check
from carepost.rfc.asking import Course, Question, Record
from carepost.rfc.authres import Result

#: questions of one message, over all of it but DMARC's, and of DMARC: its walks, and what SPF may ask of such names
QUESTIONS: Final = 80
POLICY_QUESTIONS: Final = dmarc.STEPS * (1 + dmarc.WALKS) + spf_check.LOOKUPS + 1

_NAME: Final = re.compile(r"[a-z0-9_.-]{1,253}")


class Peer(msgspec.Struct, frozen=True):
    """Who handed it over. `ip`, `helo`: "" where not known; then there is no SPF. `sender`: the reverse path."""

    ip: str = ""
    helo: str = ""
    sender: str = ""


class Proved(msgspec.Struct, frozen=True):
    """`author`: domain of From, "" where there is not exactly one. `dmarc` is None without an author."""

    author: str
    spf: spf_check.Verdict
    dkim: tuple[Signed, ...]
    dmarc: dmarc.Verdict | None
    #: for the record alone: it proves nothing here
    arc: arc_verify.Chain = arc_verify.Chain()

    @property
    def aligned(self) -> bool:
        """The From domain proved itself: DMARC passes, or without a record the very domain signed or sent."""
        return self.dmarc is not None and self.dmarc.aligned

    @property
    def dkim_word(self) -> str:
        """One word for all signatures: pass where any passes."""
        words = [one.result for one in self.dkim]
        return next((w for w in ("pass", "temperror", "fail", "policy", "permerror") if w in words), "none")

    @property
    def dmarc_word(self) -> str:
        return self.dmarc.result if self.dmarc is not None else "permerror"

    def facts(self) -> dict[str, str]:
        """For an event: words only."""
        words = {"spf": self.spf.result, "dkim": self.dkim_word, "dmarc": self.dmarc_word}
        return words if self.arc.cv == "none" else {**words, "arc": self.arc.cv}


def prove(
    raw: bytes,
    authors: tuple[str, ...],
    peer: Peer,
    now_s: int,
    services: frozenset[str] = dkim_verify.EMAIL,
) -> Course[Proved]:
    """`raw`: CRLF line ends. `authors`: addresses of From. `services`: what a signing key may be for."""
    if peer.ip:
        spf = yield from spf_check.check(peer.ip, peer.helo, peer.sender)
    else:
        spf = spf_check.Verdict("none", "")
    signed = yield from dkim_verify.verify(raw, now_s, services)
    arc = yield from arc_verify.verify(raw)
    domains = {_domain(address) for address in authors}
    author = domains.pop() if len(domains) == 1 else ""
    if not author:
        return Proved("", spf, signed, None, arc)
    proved = [dmarc.Identified("dkim", one.domain) for one in signed if one.result == "pass"]
    if spf.result == "pass":
        proved.append(dmarc.Identified("spf", spf.domain))
    verdict = yield from dmarc.evaluate(author, proved)
    late = [one.domain for one in signed if one.result == "temperror"] + [spf.domain] * (spf.result == "temperror")
    if verdict.result == "fail" and any(dmarc.may_align(domain, verdict) for domain in late):
        # RFC 9989 5.3.5: what could not be asked might have aligned; a stranger's domain could not
        verdict = msgspec.structs.replace(verdict, result="temperror")
    return Proved(author, spf, signed, verdict, arc)


def beyond(known: Collection[Question], question: Question) -> bool:
    """Whether `question` is one too many for one message: then nothing is learnt, which is not that nothing is there.
    DMARC has a share of its own: whoever sends must not use up the questions that would show what he is."""
    policy = _is_policy(question)
    asked = sum(_is_policy(one) == policy for one in known)
    return asked >= (POLICY_QUESTIONS if policy else QUESTIONS)


def _is_policy(question: Question) -> bool:
    # a selector may begin like that, too
    named = question.name.startswith("_dmarc.") and "._domainkey." not in question.name
    return question.record is Record.TXT and named


def unproved(author: str = "") -> Proved:
    """Of a message nothing could be asked about in time."""
    spf = spf_check.Verdict("temperror", "")
    return Proved(author, spf, (), dmarc.Verdict("temperror", author) if author else None)


def results(proved: Proved) -> tuple[Result, ...]:
    """For Authentication-Results: domains, never local parts."""
    identity = "smtp.mailfrom" if proved.spf.identity == "mailfrom" else "smtp.helo"
    found = [Result("spf", proved.spf.result, "", ((identity, _shown(proved.spf.domain)),))]
    for one in proved.dkim:
        properties = (("header.d", one.domain), ("header.s", one.selector), ("header.a", one.algorithm))
        found.append(Result("dkim", one.result, one.reason, properties))
    if not proved.dkim:
        found.append(Result("dkim", "none"))
    if proved.dmarc is not None:
        found.append(Result("dmarc", proved.dmarc.result, "", (("header.from", proved.author),)))
    else:
        found.append(Result("dmarc", "permerror"))
    if proved.arc.cv != "none":
        found.append(Result("arc", proved.arc.cv, proved.arc.reason, (("header.d", proved.arc.sealer),)))
    return tuple(found)


def field(authserv: str, proved: Proved) -> bytes:
    """Our Authentication-Results, with its CRLF."""
    return authres.field(authserv, results(proved))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower().rstrip(".")


def _shown(domain: str) -> str:
    return domain if _NAME.fullmatch(domain) else ""
