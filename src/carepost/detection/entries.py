"""One thing an organisation tells detection, whatever its kind: by its name, and what it says in words."""

from collections.abc import Collection
from typing import Final

import msgspec

from carepost.directory.words import OwnWords, Person, Told, Value, custom
from carepost.ground.errors import ConfigError
from carepost.phi import custom as phi
from carepost.phi.types import Custom, Exemption, Pattern, Score, Strength, Word
from carepost.rfc import address
from carepost.rfc.errors import AddressError
from carepost.tenancy import names


class Sender(Person, frozen=True, tag=True):
    """What this sender, or anybody of this domain, writes is not read."""


class Recipient(Person, frozen=True, tag=True):
    """What goes to this address or domain is not read."""


Entry = Word | Pattern | Exemption | Sender | Recipient | Value

#: persons of each of the two lists
MOST: Final = 500
#: kinds an organisation may leave out as a whole: those that ordinary mail is full of
KINDS: Final = (
    "phone", "e-mail", "address", "account", "date", "age", "name", "greeting", "npi", "member-id", "specialty", "test",
    "procedure", "medicine", "care",
)  # fmt: skip


def named(told: Told) -> dict[str, Entry]:
    """All of it, by name."""
    found: list[Entry] = [*told.custom.words, *told.custom.patterns, *told.custom.exemptions, *told.values]
    found += [Sender(one.id, one.who) for one in told.senders]
    found += [Recipient(one.id, one.who) for one in told.recipients]
    return {one.id: one for one in found}


def with_entry(told: Told, entry: Entry) -> Told:
    """Checked; it takes the place of one of its kind and name. Raises names.Wrong."""
    held = named(told).get(entry.id)
    if held is not None and type(held) is not type(entry):
        raise names.Wrong("name", f"“{entry.id}” is the name of a {what(held)}: choose another name for this.")
    left = without(told, entry.id)
    own = left.custom
    if isinstance(entry, Word):
        made = _custom(left, msgspec.structs.replace(own, words=(*own.words, entry)))
    elif isinstance(entry, Pattern):
        made = _custom(left, msgspec.structs.replace(own, patterns=(*own.patterns, entry)))
    elif isinstance(entry, Exemption):
        if entry.kind and entry.kind not in KINDS:
            raise names.Wrong("kind", f"Only these kinds can be left out as a whole: {', '.join(KINDS)}.")
        made = _custom(left, msgspec.structs.replace(own, exemptions=(*own.exemptions, entry)))
    elif isinstance(entry, Value):
        made = msgspec.structs.replace(left, values=(*left.values, entry))
    elif isinstance(entry, Sender):
        made = msgspec.structs.replace(left, senders=(*left.senders, _person(entry)))
    else:
        made = msgspec.structs.replace(left, recipients=(*left.recipients, _person(entry)))
    if len(made.senders) > MOST or len(made.recipients) > MOST:
        raise names.Wrong("too-many", f"At most {MOST} senders and as many recipients can be excepted.")
    try:
        phi.check(custom(made) or Custom())
    except ConfigError as error:
        raise names.Wrong("words", error.public) from None
    return made


def without(told: Told, name: str) -> Told:
    own = told.custom
    return msgspec.structs.replace(
        told,
        custom=Custom(
            tuple(one for one in own.words if one.id != name),
            tuple(one for one in own.patterns if one.id != name),
            tuple(one for one in own.exemptions if one.id != name),
        ),
        senders=tuple(one for one in told.senders if one.id != name),
        recipients=tuple(one for one in told.recipients if one.id != name),
        values=tuple(one for one in told.values if one.id != name),
    )


def what(entry: Entry) -> str:
    """Its kind, for people."""
    return {
        Word: "word", Pattern: "pattern", Exemption: "exception", Sender: "sender not read",
        Recipient: "recipient not read", Value: "value found harmless",
    }[type(entry)]  # fmt: skip


def says(entry: Entry) -> str:
    """What it says, for who may change it."""
    if isinstance(entry, Word | Pattern):
        text = entry.text if isinstance(entry, Word) else entry.pattern
        counts = "an identifier" if entry.score is Score.IDENTIFIER else "health information"
        sure = "alone" if entry.strength is Strength.STRONG else "together with other findings"
        near = f", near {', '.join(entry.keywords)}" if isinstance(entry, Pattern) and entry.keywords else ""
        return f"“{text}”{near}: counts as {counts}, {sure}"
    if isinstance(entry, Exemption):
        if entry.kind:
            return f"findings of the kind {entry.kind} never count"
        return f"nothing inside “{entry.phrase or entry.pattern}” counts"
    if isinstance(entry, Value):
        return f"{entry.kind} {entry.masked} does not count"
    if isinstance(entry, Sender):
        return f"what {entry.who} sends is not read"
    return f"what goes to {entry.who} is not read"


def warns(entry: Entry, ours: Collection[str]) -> str:
    """What somebody should know of an exception of a sender or recipient; "" for nothing. `ours`: sender domains."""
    if not isinstance(entry, Sender | Recipient):
        return ""
    who = entry.who.strip().lower().removeprefix("@")
    if who in ours:
        if isinstance(entry, Sender):
            return (
                f"{who} is your own domain: nothing that your people write is read, so no rule about content finds it."
            )
        return f"{who} is your own domain: nothing that your people write to each other is read."
    if isinstance(entry, Sender) and who.rpartition("@")[2] in ours:
        return f"{who} is of your own domain: nothing that this sender writes is read, health information neither."
    return ""


def excepted(told: Told, sender: str, recipient: str) -> str:
    """The name of the exception by which a copy is not read now; "" for none. As the engine finds it."""
    return OwnWords(None, told.senders, told.recipients).excepted(sender, recipient)


def _custom(told: Told, own: Custom) -> Told:
    return msgspec.structs.replace(told, custom=own)


def _person(given: Person) -> Person:
    who = given.who.strip().lower().removeprefix("@")
    try:
        if "@" in who:
            who = address.parse_path(who, utf8=True)
        else:
            address.parse_path(f"x@{who}", utf8=True)
    except AddressError:
        raise names.Wrong("who", "Give an address, or a domain such as partner.example.") from None
    names.words(given.id, "name", longest=63)
    return Person(given.id, who.lower())
