"""The DMARC record (RFC 9989 4.7), the tree walk (4.10) and alignment (4.4), as values and courses of questions.

No public suffix list: who a name belongs to is what the names above it publish, at most 8 of them (BI-041)."""

import re
from collections.abc import Sequence

import msgspec

from carepost.rfc.asking import Course, Question, Record

#: questions of one walk (4.10)
STEPS = 8
#: signing and envelope domains whose own owner is looked for
WALKS = 4
MAX_RECORD = 8_192

_VERSION = re.compile(rb"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_URI = re.compile(r"(?:mailto:[^\s,;!]+@[^\s,;!]+|https?://[^\s,;!]+)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
_POLICIES = ("none", "quarantine", "reject")


class Policy(msgspec.Struct, frozen=True):
    """One record. `p`, `sp`, `np`: none | quarantine | reject, "" where not given. `psd`: y | n | u. `testing`: `t=y`,
    which lowers what is asked for by one step. Tags nobody knows, and the former pct, rf and ri, are ignored."""

    p: str
    sp: str = ""
    np: str = ""
    strict_dkim: bool = False
    strict_spf: bool = False
    psd: str = "u"
    testing: bool = False
    rua: tuple[str, ...] = ()


class Identified(msgspec.Struct, frozen=True):
    """A domain that proved itself: `way` is "dkim" or "spf"."""

    way: str
    domain: str


class Verdict(msgspec.Struct, frozen=True):
    """`result`: pass | fail | none | temperror | permerror. `asked`: what the owner of the name asks receivers to do
    with what fails: none | quarantine | reject, "" without a record. `by`: the way that aligned. `at`: whose record.
    `aligned`: an identifier proved is the From domain's own, whether or not the domain publishes a record."""

    result: str
    domain: str
    asked: str = ""
    by: str = ""
    at: str = ""
    organisation: str = ""
    aligned: bool = False


def parse(text: bytes) -> Policy | None:
    """None for what is no DMARC record, or one that RFC 9989 makes of no effect."""
    if len(text) > MAX_RECORD or _VERSION.match(text) is None:
        return None
    given: dict[str, str] = {}
    for piece in text.decode("utf-8", "replace").split(";")[1:]:
        name, equals, value = piece.partition("=")
        if equals:
            given.setdefault(name.strip(" \t").lower(), value.strip(" \t"))
    rua = tuple(uri.strip() for uri in given.get("rua", "").split(",") if _URI.fullmatch(uri.strip()))
    wanted = {name: given.get(name, "").lower() for name in ("p", "sp", "np")}
    wrong = wanted["p"] not in _POLICIES or any(wanted[n] not in ("", *_POLICIES) for n in ("sp", "np"))
    if wrong:
        # 4.7: reports are wanted, and nothing else can be read from it
        if not rua:
            return None
        wanted = {"p": "none", "sp": "", "np": ""}
    psd = given.get("psd", "u").lower()
    return Policy(
        wanted["p"], wanted["sp"], wanted["np"],
        given.get("adkim", "r").lower() == "s", given.get("aspf", "r").lower() == "s",
        psd if psd in ("y", "n") else "u", given.get("t", "n").lower() == "y", rua,
    )  # fmt: skip


def targets(domain: str) -> list[str]:
    """The names a walk asks, from `domain` upwards: at most 8, however deep it is (4.10)."""
    labels = domain.split(".")
    first = [domain]
    labels = labels[-7:] if len(labels) >= STEPS else labels[1:]
    while labels:
        first.append(".".join(labels))
        labels = labels[1:]
    return first[:STEPS]


class _TemporaryError(Exception):
    pass


class Walk:
    """One evaluation's view of the tree: each name is asked once."""

    def __init__(self) -> None:
        self._known: dict[str, Policy | None] = {}

    def policy(self, name: str) -> Course[Policy | None]:
        """The one record of a name; several count as none. Raises _TemporaryError."""
        if name not in self._known:
            found = yield Question(Record.TXT, f"_dmarc.{name}")
            if found.failed:
                raise _TemporaryError
            records = [text for text in found.texts if _VERSION.match(text)]
            self._known[name] = parse(records[0]) if len(records) == 1 else None
        return self._known[name]

    def found(self, domain: str) -> Course[list[tuple[str, Policy]]]:
        """(name, record) of each name that has one, from `domain` upwards, to the first that says what it is."""
        records: list[tuple[str, Policy]] = []
        for name in targets(domain):
            policy = yield from self.policy(name)
            if policy is not None:
                records.append((name, policy))
                if policy.psd != "u":
                    break
        return records


def owner(domain: str, records: Sequence[tuple[str, Policy]]) -> str:
    """The organisational domain (4.10.2) by what a walk from `domain` found."""
    for name, policy in records:
        if policy.psd == "n":
            return name
        if policy.psd == "y" and name != domain:
            count = name.count(".") + 2
            return ".".join(domain.split(".")[-count:])
    return records[-1][0] if records else domain


def evaluate(domain: str, proved: Sequence[Identified]) -> Course[Verdict]:
    """`domain`: of the one From address, A-labels, lower case. `proved`: what SPF and DKIM proved, in any order."""
    walk = Walk()
    try:
        records = yield from walk.found(domain)
        organisation = owner(domain, records)
        applied = next((one for one in records if one[0] == domain), None)
        applied = applied or next((one for one in records if one[0] == organisation), None)
        applied = applied or next((one for one in records if one[1].psd == "y"), None)
        by = yield from _aligned(walk, domain, organisation, applied[1] if applied else None, proved)
        if applied is None:
            return Verdict("none", domain, by=by, organisation=organisation, aligned=bool(by))
        if by:
            return Verdict("pass", domain, applied[1].p, by, applied[0], organisation, aligned=True)
        asked = yield from _asked(domain, applied)
        return Verdict("fail", domain, asked, "", applied[0], organisation)
    except _TemporaryError:
        return Verdict("temperror", domain)


def _aligned(
    walk: Walk, domain: str, organisation: str, policy: Policy | None, proved: Sequence[Identified]
) -> Course[str]:
    """The way that aligns, "" for none. Without a record only the very same name counts."""
    for one in proved:
        if one.domain == domain:
            return one.way
    walks = 0
    for one in proved:
        strict = policy is None or (policy.strict_dkim if one.way == "dkim" else policy.strict_spf)
        if strict or not (one.domain == organisation or one.domain.endswith("." + organisation)):
            continue
        if one.domain == organisation:
            return one.way
        if walks < WALKS:
            walks += 1
            if owner(one.domain, (yield from walk.found(one.domain))) == organisation:
                return one.way
    return ""


def may_align(domain: str, verdict: Verdict) -> bool:
    """Whether a domain could have aligned, had it been proved."""
    return domain == verdict.domain or f".{domain}".endswith(f".{verdict.organisation}")


def _asked(domain: str, applied: tuple[str, Policy]) -> Course[str]:
    """What the record asks for mail of this name that fails (4.7)."""
    name, policy = applied
    asked = policy.p
    if name != domain:
        asked = policy.sp or policy.p
        if policy.np and not (yield from _exists(domain)):
            asked = policy.np
    if policy.testing:
        asked = {"reject": "quarantine", "quarantine": "none"}.get(asked, "none")
    return asked


def _exists(domain: str) -> Course[bool]:
    """RFC 9989 3.2: a name without A, AAAA and MX does not exist. What cannot be learnt counts as there."""
    for record in (Record.A, Record.MX, Record.AAAA):
        found = yield Question(record, domain)
        if found.failed or found.names:
            return True
        if not found.exists:
            return False
    return False
