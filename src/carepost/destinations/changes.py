"""Pure: what changed between two looks at a destination, in stable kinds, and whether it can prove less than before."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from carepost.ground import clock
from carepost.policy.types import Assurance
from carepost.posture import Record
from carepost.posture.judge import weakened
from carepost.posture.types import Certificate, Side

#: kind -> what happened, for people; {host}, {old} and {new} are filled in
KINDS: Final = {
    "first": "First met.",
    "mx": "The domain’s mail servers changed.",
    "mx-moved": "The domain’s mail servers moved, in DNS that nobody signs.",
    "tls-lost": "Encryption, offered before, is no longer offered.",
    "tls-back": "Encryption is offered again.",
    "mta-sts": "The domain’s MTA-STS mode changed.",
    "policy": "The domain published another MTA-STS policy.",
    "dane": "The domain’s use of DANE changed.",
    "host": "A mail server was met for the first time.",
    "assurance": "What a mail server proves changed.",
    "tls": "A mail server’s TLS version changed.",
    "certificate": "A mail server shows another certificate.",
    "key": "A mail server shows another certificate, with another key.",
    "tlsa": "The key published for a mail server (DANE) changed.",
}
_STS: Final = ("unknown", "none", "testing", "enforce")
_TLS: Final = ("none", "TLSv1.2", "TLSv1.3")


class Found(msgspec.Struct, frozen=True):
    """One change; `old` and `new` in words and numbers of the protocols."""

    kind: str
    old: str = ""
    new: str = ""
    host: str = ""
    weaker: bool = False


def between(before: Record | None, after: Record, now: int) -> list[Found]:
    """`before` None: never met. Pinned hosts count like others: they stand in `sides` where they are this reader's."""
    if before is None:
        return [Found("first", new=_names(after.hosts or (side.host for side in after.sides)))]
    found = [*_domain(before, after, now)]
    known = {(side.host, side.pinned): side for side in before.sides}
    for side in after.sides:
        old = known.get((side.host, side.pinned))
        found += _side(old, side) if old is not None else [Found("host", new=_word(side), host=side.host)]
    return found


def _domain(before: Record, after: Record, now: int) -> Iterable[Found]:
    was, is_ = weakened(before, now), weakened(after, now)
    if after.moved_at and after.moved_at != before.moved_at:
        yield Found("mx-moved", _names(before.hosts), _names(after.moved_hosts), weaker=True)
    elif after.hosts != before.hosts and before.hosts:
        yield Found("mx", _names(before.hosts), _names(after.hosts))
    if after.lost_at and after.lost_at != before.lost_at and was != "tls-lost":
        yield Found("tls-lost", weaker=True)
    elif was == "tls-lost" and is_ != "tls-lost":
        yield Found("tls-back")
    yield from _promises(before, after)


def _promises(before: Record, after: Record) -> Iterable[Found]:
    if after.mta_sts != before.mta_sts and "unknown" not in (before.mta_sts, after.mta_sts):
        weaker = _STS.index(after.mta_sts) < _STS.index(before.mta_sts)
        yield Found("mta-sts", before.mta_sts, after.mta_sts, weaker=weaker)
    old, new = before.policy, after.policy
    if old is not None and new is not None and old.id != new.id:
        yield Found("policy", old.id, new.id)
    if after.dane != before.dane and "unknown" not in (before.dane, after.dane):
        yield Found("dane", before.dane, after.dane, weaker=after.dane == "no")


def _side(old: Side, new: Side) -> Iterable[Found]:
    """A host that was met again. One cause is one change: what follows from a lost STARTTLS is not told three times."""
    host = new.host
    if old.assurance != new.assurance or (old.fault != new.fault and new.assurance < Assurance.VERIFIED):
        yield Found("assurance", _word(old), _word(new), host, weaker=new.assurance < old.assurance)
    if old.tls != new.tls and "none" not in (old.tls, new.tls):
        yield Found("tls", old.tls, new.tls, host, weaker=_rank(new.tls) < _rank(old.tls))
    if old.tlsa != new.tlsa:
        yield Found("tlsa", _records(old.tlsa), _records(new.tlsa), host, weaker=bool(old.tlsa) and not new.tlsa)
    was, is_ = old.certificate, new.certificate
    if was is not None and is_ is not None and was.fingerprint != is_.fingerprint:
        kind = "certificate" if was.key == is_.key else "key"
        yield Found(kind, _certificate(was), _certificate(is_), host)


def ends_at(record: Record) -> int:
    """When the first certificate ends that a host's standing rests on; 0: none. DANE and a bare pinned key ask no date,
    and what proves nothing now has nothing to lose."""
    ends = [
        side.certificate.not_after
        for side in record.sides
        if side.certificate is not None and side.assurance >= Assurance.VERIFIED and side.basis != "dane"
    ]
    return min(ends, default=0)


def best(record: Record) -> Assurance | None:
    return max((side.assurance for side in record.sides), default=record.tls)


def _names(hosts: Iterable[str]) -> str:
    return " ".join(hosts)


def _word(side: Side) -> str:
    """Assurance, and why it is not more."""
    return f"{side.assurance.name} {side.fault}".strip()


def _records(tlsa: Sequence[str]) -> str:
    return " ".join(tlsa)


def _certificate(certificate: Certificate) -> str:
    end = clock.rfc3339(certificate.not_after)[:10]
    return f"{certificate.fingerprint[:16]} {end} {certificate.issuer}".strip()


def _rank(version: str) -> int:
    return _TLS.index(version) if version in _TLS else -1
