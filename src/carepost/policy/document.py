"""An organisation's policy as one document in words, for who audits it and who works by it (45 CFR 164.316(b)(1)).

Made from the rules in force alone, so it cannot say what is not so.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from carepost.policy import rule_words
from carepost.policy.explain import FLOORS
from carepost.policy.types import Assurance, Rule

_EVERY: Final = (
    "Each recipient is looked at alone, at the moment of delivery. The best method that recipient can take is used: a "
    "verified encrypted connection, S/MIME, OpenPGP, or the secure portal.",
    "What cannot be delivered with at least what is required goes by the next method, waits for a person, or is sent "
    "back. It never leaves with less than is required.",
    "Of all rules that match, the strictest counts. What cannot be found out counts as the strictest it may be.",
    "Nobody has to do anything for that: it holds for mail of every program and person of the organisation.",
)
_UNREAD: Final = "No rule asks what a message says: every message is protected as said above, whatever it says."


class Edition(msgspec.Struct, frozen=True):
    """One version of the policy, for the list at the end. `at`: UTC microseconds."""

    number: int
    at: int
    author: str
    reason: str


class Stated(msgspec.Struct, frozen=True):
    """What a document is made of. `editions`: newest first, the one in force among them. Days: 0 is for ever."""

    organisation: str
    floor: Assurance
    number: int
    label: str
    rules: tuple[tuple[Rule, str], ...]
    editions: tuple[Edition, ...]
    made: int
    content_days: int
    evidence_days: int
    portal_days: int
    draft_days: int
    holds: int


class Section(msgspec.Struct, frozen=True):
    """`items`: a name and what is said of it, one phrase a line."""

    title: str
    text: tuple[str, ...] = ()
    items: tuple[tuple[str, tuple[str, ...]], ...] = ()


def sections(stated: Stated, *, persons: bool = True) -> list[Section]:
    """The whole document. `persons` False: addresses, texts and reasons, which may tell of a person, are left out."""

    def told(kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        every = enumerate(stated.rules, 1)
        return tuple(_told(rule, unit, n, persons) for n, (rule, unit) in every if _kind(rule) == kind)

    reads = any(rule.levels for rule, _ in stated.rules)
    made = [
        Section(
            "What holds for every message",
            (f"At least {FLOORS[stated.floor]} ({stated.floor.name}) is required.", *_EVERY),
        ),
        Section(
            "What does not leave by itself",
            _or(told("stops"), "No rule refuses mail or has it wait for a person."),
            told("stops"),
        ),
        Section("What sensitive mail needs", () if reads else (_UNREAD,), told("content")),
        Section("What people can ask for", _or(told("asked"), "No word and no field asks for more."), told("asked")),
        Section("Partners, senders and other mail", _or(told("more"), "No further rule."), told("more")),
        Section(
            "Where less is required, and who vouched for it",
            _or(told("less"), "Nowhere."),
            told("less"),
        ),
        Section(
            "Defaults",
            (
                "Organisation, unit, sender domain, sender; and recipient domain, recipient: the nearest counts. "
                "Between the two, and against rules, the stricter counts.",
                *_or(told("default"), "None is set."),
            ),
            told("default"),
        ),
        Section("How long things are kept", tuple(_kept(stated))),
        Section("Versions", ("None is ever changed or deleted.",), tuple(_versions(stated.editions, persons))),
    ]
    return [one for one in made if one.text or one.items]


def title(stated: Stated) -> str:
    return f"Protection of e-mail at {stated.organisation}"


def heading(stated: Stated) -> str:
    """Which version, since when, and when this was written."""
    since = next((_day(one.at) for one in stated.editions if one.number == stated.number), "")
    return f"Version {stated.label}, in force since {since}. Written {_day(stated.made)} from the rules themselves."


def markdown(stated: Stated, *, persons: bool = True) -> str:
    lines = [f"# {_plain(title(stated))}", "", _plain(heading(stated)), ""]
    for one in sections(stated, persons=persons):
        lines += [f"## {one.title}", ""]
        for text in one.text:
            lines += [_plain(text), ""]
        for name, said in one.items:
            lines += [f"- **{_plain(name)}**: " + "  \n  ".join(_plain(phrase) for phrase in said)]
        lines += [""] if one.items else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _kind(rule: Rule) -> str:
    if rule.setting:
        return "default"
    if (rule.floor is not None and rule.floor < Assurance.VERIFIED) or rule.skip_unknown or rule.portal_by_mail:
        return "less"
    if rule.action or rule.redirect:
        return "stops"
    if rule.header:
        return "asked"
    return "content" if rule.levels or rule.attachments or rule.data_class else "more"


def _told(rule: Rule, unit: str, number: int, persons: bool) -> tuple[str, tuple[str, ...]]:
    where = rule_words.applies(rule, unit, persons=persons)
    said = [
        f"Which mail: {', '.join(where) or 'every message'}.",
        f"What is asked: {'; '.join(rule_words.says(rule, persons=persons)) or 'nothing'}.",
    ]
    if persons and rule.words:
        said.append(f"The sender is told: “{rule.words}”")
    if persons and rule.attestation:
        said.append(f"Attested: “{rule.attestation}”")
    return rule.id if persons else f"Rule {number}", tuple(said)


def _kept(stated: Stated) -> Iterable[str]:
    yield f"The content of messages: {_days(stated.content_days)}, on the server that sent them."
    yield f"The record of what was sent, how, and who looked: {_days(stated.evidence_days)}; every proof stays good."
    yield f"Messages in the secure portal: {_days(stated.portal_days)}, unless a message says otherwise."
    yield f"Drafts: {_days(stated.draft_days)}."
    holds = f"Holds in force: {stated.holds}." if stated.holds else "No hold is in force."
    yield f"What a legal hold names stays, whatever these times say. {holds}"


def _versions(editions: Sequence[Edition], persons: bool) -> Iterable[tuple[str, tuple[str, ...]]]:
    for one in editions:
        yield f"{one.number}", (_day(one.at) + (f", by {one.author}: {one.reason}" if persons else ""),)


def _or(told: Sequence[object], otherwise: str) -> tuple[str, ...]:
    return () if told else (otherwise,)


def _days(days: int) -> str:
    if not days:
        return "for ever"
    return f"{days} days" + (f" ({days / 365.25:.0f} years)" if days > 700 else "")


def _day(us: int) -> str:
    return datetime.fromtimestamp(us / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _plain(text: str) -> str:
    """What a rule's author typed is text: it makes no headings, links or HTML of its own."""
    one_line = " ".join(text.split())
    return "".join("\\" + c if c in "\\`*_[]<>#|" else c for c in one_line)
