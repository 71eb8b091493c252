"""What Gmail, Yahoo and Microsoft ask of whoever sends much (standards 2.4), judged by what is known here: met, not
met, or not to be known from here, each with its evidence. Pure.

A rule is met only where something shows it. What a provider tells nobody but its own pages stays unknown."""

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from carepost.senders.types import Line, Part, Phase, State

#: messages a day from which a provider's rules for bulk hold
BULK: Final = 5_000
#: complaints of messages delivered: kept below, never reached
AIM, LIMIT = 0.001, 0.003
#: provider groups (`pace.providers`) -> what people call them
PROVIDERS: Final = {"gmail": "Gmail", "yahoo": "Yahoo and AOL", "microsoft-consumer": "Outlook.com and Hotmail"}
#: where each says so
SOURCES: Final = {
    "gmail": "Google, Email sender guidelines (support.google.com/a/answer/81126), 2026-03-21",
    "yahoo": "Yahoo, Sender best practices (senders.yahooinc.com), 2025-04",
    "microsoft-consumer": "Microsoft, requirements for high-volume senders, 2025-04-02; sender policies, 2026-06",
}
#: domains of the providers themselves: nobody else may write From them
_OTHERS: Final = frozenset({
    "gmail.com", "googlemail.com", "google.com", "yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "aim.com",
    "outlook.com", "hotmail.com", "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "gmx.net", "gmx.com",
    "web.de",
})  # fmt: skip


class Met(enum.StrEnum):
    MET = "met"
    NOT = "not-met"
    UNKNOWN = "unknown"


class Volume(msgspec.Struct, frozen=True):
    """Of the last 30 days, the whole organisation to one provider. `most`: on the busiest day."""

    most: int = 0
    sent: int = 0
    complaints: int = 0
    #: complaints of what was sent on the worst day that had enough mail to say something, 0..1
    worst: float = 0.0
    #: that day, as 2026-11-21; "": none
    worst_day: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """`looked`: DNS was asked. `unsubscribe`: where the links to unsubscribe lead, "" where there are none. `reported`,
    `proved`: messages in receivers' DMARC reports, and those of them that were proved. `volumes`: by provider; None:
    not counted here."""

    domain: str
    lines: tuple[Line, ...] = ()
    looked: bool = False
    unsubscribe: str = ""
    reported: int = 0
    proved: int = 0
    volumes: Mapping[str, Volume] | None = None


class Judged(msgspec.Struct, frozen=True):
    """One rule of one provider. `bulk`: it holds from 5,000 messages a day; the others for everybody."""

    provider: str
    rule: str
    words: str
    state: Met
    evidence: str
    todo: str = ""
    bulk: bool = True


def judge(evidence: Evidence) -> tuple[Judged, ...]:
    found = []
    for provider in PROVIDERS:
        found += [
            _records(provider, "spf", "SPF passes for the envelope sender", evidence, (Part.SPF, Part.RETURN_SPF)),
            _records(provider, "dkim", "Mail is signed by DKIM with at least 1024 bits", evidence, (Part.DKIM,)),
            _dmarc(provider, evidence),
            _aligned(provider, evidence),
            _records(
                provider, "reverse", "Sending addresses have names that lead back to them", evidence,
                (Part.REVERSE, Part.HELO), bulk=False,
            ),
            Judged(
                provider, "tls", "Mail is carried over TLS", Met.MET,
                "Mail leaves over verified TLS, unless a rule an administrator attested allows less; what cannot goes "
                "another way, or waits.",
                bulk=False,
            ),
            _unsubscribe(provider, evidence),
            _complaints(provider, evidence),
            _worst_day(provider, evidence),
            _own(provider, evidence.domain),
            Judged(
                provider, "format", "Messages are well formed (RFC 5322), with one From", Met.MET,
                "What is not is refused at the door, before anything is sent.", bulk=False,
            ),
        ]  # fmt: skip
    found.append(_feedback())
    return tuple(found)


def applies(evidence: Evidence, provider: str) -> bool | None:
    """Whether so much is sent there that the rules for bulk hold. None: it is not counted. Gmail never forgets: once
    bulk, always bulk."""
    if evidence.volumes is None:
        return None
    return evidence.volumes.get(provider, Volume()).most >= BULK


def _records(
    provider: str, rule: str, words: str, evidence: Evidence, parts: Sequence[Part], *, bulk: bool = True
) -> Judged:
    """Met where every needed record of these parts is right."""
    mine = [line for line in evidence.lines if line.part in parts and _counts(line)]
    wrong = next((line for line in mine if line.state in (State.MISSING, State.DIFFERENT)), None)
    if wrong is not None:
        said = f"{wrong.record} at {wrong.name} {_stands(wrong)}"
        return Judged(provider, rule, words, Met.NOT, said, wrong.todo, bulk)
    silent = next((line for line in mine if line.state is State.UNKNOWN), None)
    if silent is not None or not mine:
        why = f"{silent.record} at {silent.name} is not known." if silent is not None else _nothing(evidence)
        return Judged(provider, rule, words, Met.UNKNOWN, why, silent.todo if silent is not None else _LOOK, bulk)
    names = ", ".join(dict.fromkeys(line.name for line in mine))
    return Judged(provider, rule, words, Met.MET, f"As it should be: {names}.", "", bulk)


def _stands(line: Line) -> str:
    return f"is {line.state.value}." if line.code == line.state.value else f"is {line.state.value} ({line.code})."


_LOOK: Final = "Compare with DNS."


def _nothing(evidence: Evidence) -> str:
    return "No such address or record is known." if evidence.looked else "DNS was not asked yet."


def _counts(line: Line) -> bool:
    """Next and former keys prove nothing about mail that leaves today."""
    return line.needed and line.phase in ("", Phase.ACTIVE.value)


def _dmarc(provider: str, evidence: Evidence) -> Judged:
    words = "The domain publishes DMARC, at least p=none"
    line = next((one for one in evidence.lines if one.part is Part.DMARC), None)
    if line is None or line.state is State.UNKNOWN:
        why = _nothing(evidence) if line is None else f"{line.name} is not known."
        return Judged(provider, "dmarc", words, Met.UNKNOWN, why, _LOOK)
    if line.state is not State.RIGHT and line.code != "not-aligned":
        return Judged(provider, "dmarc", words, Met.NOT, f"TXT at {line.name} {_stands(line)}", line.todo)
    return Judged(provider, "dmarc", words, Met.MET, line.found[0] if line.found else line.name)


def _aligned(provider: str, evidence: Evidence) -> Judged:
    """Our signature is always of the From domain: DKIM aligns wherever its keys are right."""
    words = "The domain in From is the one that SPF or DKIM proves"
    keys = _records(provider, "", "", evidence, (Part.DKIM,))
    dmarc = next((one for one in evidence.lines if one.part is Part.DMARC), None)
    if keys.state is not Met.MET:
        return Judged(provider, "aligned", words, keys.state, keys.evidence, keys.todo)
    said = f"Signatures are of {evidence.domain} itself."
    if evidence.reported:
        share = 100 * evidence.proved / evidence.reported
        said += f" Receivers reported {evidence.reported:,} messages in its name, {share:.1f} % of them proved."
    todo = dmarc.todo if dmarc is not None and dmarc.code == "not-aligned" else ""
    return Judged(provider, "aligned", words, Met.MET, said, todo)


def _unsubscribe(provider: str, evidence: Evidence) -> Judged:
    words = "Marketing mail can be unsubscribed from by one click (RFC 8058), honoured within two days"
    if not evidence.unsubscribe:
        todo = "Give the organisation a portal address: links to unsubscribe lead there."
        return Judged(provider, "one-click", words, Met.NOT, "Without a portal there is no link.", todo)
    if not evidence.unsubscribe.startswith("https://"):
        todo = "RFC 8058 asks for https."
        return Judged(provider, "one-click", words, Met.NOT, f"The link leads to {evidence.unsubscribe}.", todo)
    said = (
        f"Every message of the category marketing carries it, signed; it leads to {evidence.unsubscribe} and takes "
        "effect within seconds. A list of a sender's own is left as it is."
    )
    return Judged(provider, "one-click", words, Met.MET, said)


def _loop(evidence: Evidence) -> str:
    """Where complaints are read: an address beside the return path (`intake.returns.FEEDBACK`)."""
    path = next((one.name for one in evidence.lines if one.part is Part.RETURN_MX and one.code != "not-set"), "")
    return f", with feedback@{path} as its address" if path else ", once a return path is set: feedback@ it takes them"


def _complaints(provider: str, evidence: Evidence) -> Judged:
    words = f"Fewer than {LIMIT:.1%} of recipients mark mail as unwanted; better fewer than {AIM:.1%}"
    volume = (evidence.volumes or {}).get(provider, Volume())
    if provider == "gmail":
        said = "Google tells it in Postmaster Tools alone, and there to whoever entered the domain."
        return Judged(provider, "complaints", words, Met.UNKNOWN, said, "Look there, and keep below the aim.")
    if not volume.complaints:
        todo = (
            f"Enrol the domain in Yahoo's complaint feedback loop{_loop(evidence)}."
            if provider == "yahoo" else f"Enrol the sending addresses in JMRP{_loop(evidence)}, and look at SNDS."
        )  # fmt: skip
        said = "No complaint came in 30 days: there was none, or the feedback loop is not enrolled."
        return Judged(provider, "complaints", words, Met.UNKNOWN, said, todo)
    if not volume.sent:
        said = f"{volume.complaints} complaints came, about mail of before."
        return Judged(provider, "complaints", words, Met.UNKNOWN, said)
    rate = volume.complaints / volume.sent
    said = f"{volume.complaints:,} complaints about {volume.sent:,} messages in 30 days: {rate:.2%}."
    if rate >= LIMIT:
        return Judged(
            provider, "complaints", words, Met.NOT, said, "Stop campaigns, and write only to who asked for it."
        )
    todo = "It is above what providers like: write less to who does not read." if rate >= AIM else ""
    return Judged(provider, "complaints", words, Met.MET, said, todo)


def _worst_day(provider: str, evidence: Evidence) -> Judged:
    """The rate of one day is what a provider sees, long before it shows in thirty."""
    words = f"On no day do more than {AIM:.1%} of recipients mark mail as unwanted; {LIMIT:.1%} is never reached"
    volume = (evidence.volumes or {}).get(provider, Volume())
    if not volume.complaints:
        said = "No complaint came in 30 days: there was none, or nobody tells us."
        return Judged(provider, "complaint-day", words, Met.UNKNOWN, said)
    if not volume.worst_day:
        said = "No day had enough mail to say something of its rate."
        return Judged(provider, "complaint-day", words, Met.UNKNOWN, said)
    said = f"The worst day of 30 was {volume.worst_day}: {volume.worst:.2%}."
    if volume.worst >= LIMIT:
        todo = (
            "Stop campaigns to this provider until days are below the aim; administrators get a letter on such a day."
        )
        return Judged(provider, "complaint-day", words, Met.NOT, said, todo)
    todo = "Write less to who does not read." if volume.worst > AIM else ""
    return Judged(provider, "complaint-day", words, Met.MET, said, todo)


def _own(provider: str, domain: str) -> Judged:
    words = "From is a domain of your own, never a mailbox provider's"
    theirs = next((one for one in _OTHERS if domain == one or domain.endswith(f".{one}")), "")
    if not theirs and not domain.startswith("yahoo."):
        return Judged(provider, "own-domain", words, Met.MET, f"{domain} is none of theirs.", bulk=False)
    return Judged(
        provider, "own-domain", words, Met.NOT, f"{domain} belongs to a mailbox provider.",
        "Send from a domain of your own; receivers refuse such mail.", bulk=False,
    )  # fmt: skip


def _feedback() -> Judged:
    return Judged(
        "gmail", "feedback-id", "Marketing mail says which campaign it is (Feedback-ID), for Postmaster Tools", Met.MET,
        "Every message of the category marketing carries it, signed; it names no person.",
    )  # fmt: skip
