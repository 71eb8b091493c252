"""A rule in words: what it says, and of which mail. For people who decide about rules, and for those who audit them."""

from typing import Final

from carepost.policy import holding
from carepost.policy.content import Attachment, Level
from carepost.policy.types import Assurance, Direction, Method, Rule, TlsPolicy

METHODS: Final = {
    Method.TLS: "a protected connection",
    Method.SMIME: "S/MIME",
    Method.OPENPGP: "OpenPGP",
    Method.PORTAL: "the secure portal",
}
TLS: Final = {
    TlsPolicy.OPPORTUNISTIC: "opportunistic TLS: the best there is above what is required",
    TlsPolicy.FORCED: "forced TLS: verified, else the next method",
    TlsPolicy.EXCLUSIVE: "exclusive TLS: verified, else refused",
}
DIRECTIONS: Final = {
    Direction.OUTBOUND: "mail that leaves the organisation",
    Direction.INBOUND: "mail that comes from outside",
    Direction.INTERNAL: "mail between domains of the organisation",
}
LEVELS: Final = {
    Level.NONE: "neither health nor personal data",
    Level.HEALTH_GENERIC: "health matters of nobody in particular",
    Level.PII_ONLY: "personal data without health matters",
    Level.PHI_LIKELY: "health information of a person (likely)",
    Level.PHI_HIGH: "health information of a person (certain)",
    Level.BULK: "ten or more different numbers of people",
}
ATTACHMENTS: Final = {
    Attachment.ANY: "any file",
    Attachment.MACRO: "a file with macros",
    Attachment.ENCRYPTED: "an encrypted file",
    Attachment.MISMATCH: "a file that is not what its name says",
    Attachment.INFECTED: "malicious software",
    Attachment.UNSCANNED: "a file no scanner has looked at",
}


def says(rule: Rule, *, persons: bool = True) -> list[str]:
    """What the rule asks, one phrase each. `persons` False: addresses are not told."""
    said = []
    if rule.floor is not None:
        lowered = ", attested" if rule.attestation and rule.floor < Assurance.VERIFIED else ""
        said.append(f"at least {rule.floor.name}{lowered}")
    if rule.tls_policy is not None:
        said.append(TLS[rule.tls_policy])
    if rule.methods:
        said.append("only by " + ", then ".join(METHODS[m] for m in rule.methods))
    if rule.portal_by_mail:
        said.append("a code sent by e-mail alone opens the portal")
    said.extend(_action(rule))
    if rule.warn:
        said.append("the sender is asked to check")
    if rule.ask_reason:
        said.append("the sender must say why")
    if rule.redirect:
        said.append(f"goes to {_person(rule.redirect, persons)} instead")
    if rule.copies:
        said.append("copied to " + ", ".join(_person(one, persons) for one in rule.copies))
    if rule.strip_tracking:
        said.append("no tracking is added")
    if rule.tags:
        said.append("tagged " + ", ".join(rule.tags))
    said.extend(_waits(rule))
    return said


def _waits(rule: Rule) -> list[str]:
    if not rule.held_hours and not rule.held_then:
        return []
    if rule.held_then == holding.KEEP:
        return ["what is held waits without end"]
    then = "sent as the rules then say" if rule.held_then == holding.RELEASE else "sent back to its sender"
    hours = rule.held_hours or holding.DEFAULT_HOURS
    return [f"what is held waits {hours} {'hour' if hours == 1 else 'hours'} and is then {then}"]


def _action(rule: Rule) -> list[str]:
    match rule.action:
        case "":
            return []
        case "refuse":
            return ["refused"]
        case "approve":
            return ["held until another person approves" if rule.approvals < 2 else _approvals(rule.approvals)]
        case _:
            return ["held until a person releases it"]


def _approvals(count: int) -> str:
    return f"held until {count} other people approve"


def applies(rule: Rule, unit: str = "", *, persons: bool = True) -> list[str]:
    """Of which mail, one phrase each, all of which must hold; empty: of all."""
    where = []
    if rule.direction:
        where.append(DIRECTIONS.get(Direction(rule.direction), rule.direction))
    if unit or rule.unit:
        where.append(f"from the unit {unit or rule.unit}")
    if rule.sender:
        where.append(f"from {_person(rule.sender, persons)}")
    elif rule.sender_domain and not rule.unit:
        where.append(f"from {rule.sender_domain}")
    if rule.recipient:
        where.append(f"to {_person(rule.recipient, persons)}")
    elif rule.recipient_domain:
        where.append(f"to {rule.recipient_domain}")
    if rule.category:
        where.append(f"{rule.category} mail")
    if rule.data_class:
        where.append(f"data class {rule.data_class}")
    where.extend(_conditions(rule, persons))
    return where


def _conditions(rule: Rule, persons: bool) -> list[str]:
    where = []
    if rule.header:
        field = "the subject" if rule.header == "subject" else f"the field {rule.header}"
        text = f"contains “{rule.contains}”" if persons else "contains a text of the rule"
        taken = " (taken out before it is sent)" if rule.remove else ""
        where.append(f"{field} {text if rule.contains else 'is there'}{taken}")
    if rule.size_over:
        where.append(f"larger than {_size(rule.size_over)}")
    if rule.hours:
        where.append(f"sent {'outside ' if rule.hours.startswith('not ') else ''}{rule.hours.removeprefix('not ')}")
    if rule.levels:
        where.append("contains " + " or ".join(LEVELS.get(one, one) for one in rule.levels))
    if rule.attachments:
        where.append("has attached " + " or ".join(ATTACHMENTS[one] for one in rule.attachments))
    if rule.skip_unknown:
        where.append("not where that cannot be found out (attested)")
    return where


def _size(octets: int) -> str:
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if octets >= unit:
            return f"{octets / unit:g} {name}"
    return f"{octets} octets"


def _person(address: str, persons: bool) -> str:
    return address if persons else f"one person at {address.rpartition('@')[2]}"
