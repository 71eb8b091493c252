"""Why something waits, in the words of those who look at it: one place, so that pages, letters and the API agree."""

from typing import Final

import msgspec

from carepost.policy.content import Level, Malware
from carepost.policy.rule_words import LEVELS
from carepost.policy.ternary import Ternary
from carepost.wire.types import HeldView

#: kind -> (short, what it means and what can be done)
KINDS: Final[dict[str, tuple[str, str]]] = {
    "approval": (
        "Needs approval",
        "A rule asks that somebody else than the sender looks at it before it leaves.",
    ),
    "content": (
        "Content",
        "A rule holds it because of what it contains. Look at the reasons below; the values themselves are not kept.",
    ),
    "malware": (
        "Malicious software",
        "The scanner found malicious software in it. Refuse it, unless you know for certain that it is a mistake.",
    ),
    "unscanned": (
        "Not scanned",
        "The scanner for malicious software did not answer, so nobody knows whether it is clean. Mend the scanner and "
        "have it sent again, or release it when you know what is attached: it then leaves unscanned.",
    ),
    "unknown": (
        "Could not be read",
        "A rule asks what it contains, and that could not be found out.",
    ),
    "rule": ("A rule holds it", "Look at it, then release it or refuse it."),
    "key": (
        "Certificate changed",
        "Ask this person by telephone which certificate is theirs, then use or distrust the new one. What waits for "
        "that goes on by itself; a release alone does not change it.",
    ),
    "access": (
        "Needs an access code",
        "This person can only be reached through the portal, and no code was agreed that opens it. Agree on one with "
        "the person, by telephone or face to face, and give it here: the same message then goes on to the portal.",
    ),
    "method": (
        "No safe way",
        "No method that reaches this person is safe enough. It can be tried again, or refused.",
    ),
    "restored": (
        "Restored from a backup",
        "It waited when the backup was made. It may have been sent since: then it arrives a second time.",
    ),
    "report": ("Report of ours", "A delivery report that could not reach its reader safely."),
    "person": ("Held by a person", "Somebody held it by hand."),
    "damaged": ("Damaged", "What is stored of it cannot be opened. It cannot be sent; it can be taken back."),
    "other": ("Waits", "It waits until somebody has looked at it."),
}  # fmt: skip

#: who may act (`wire.types.HeldFilter.who`) -> in words
WHO: Final = {"me": "I may release it", "others": "somebody else must"}

#: reason code -> kind, where the reason alone says
_OF_REASON: Final = {
    "approval-needed": "approval",
    "not-known-enough": "unknown",
    "rule-holds": "rule",
    "key-changed": "key",
    "needs-access-code": "access",
    "no-method-left": "method",
    "methods-conflict": "method",
    "uncertain-bound": "method",
    "suppression-unknown": "other",
    "restored": "restored",
    "dsn-waits": "report",
    "held-by-person": "person",
    "damaged": "damaged",
    "cannot-be-opened": "damaged",
}
#: kind -> the reasons it can come from (empty: any); the kinds of content come from a rule
REASONS: Final[dict[str, tuple[str, ...]]] = (
    {kind: tuple(reason for reason, of in _OF_REASON.items() if of == kind) for kind in KINDS}
    | dict.fromkeys(("content", "malware", "unscanned", "unknown"), ("rule-holds", "not-known-enough"))
    | {"other": ()}
)

_SPEAKING: Final = frozenset({Level.PII_ONLY, Level.PHI_LIKELY, Level.PHI_HIGH})
_MALWARE: Final = {
    Malware.INFECTED: "The scanner found malicious software in it.",
    Malware.UNAVAILABLE: "The scanner did not answer, or saw only a part of it.",
    Malware.OFF: "No scanner is set up.",
    Malware.CLEAN: "The scanner found no malicious software.",
}


class Said(msgspec.Struct, frozen=True):
    """`tone`: good | wait | bad | plain."""

    text: str
    tone: str = "plain"


def kind(view: HeldView) -> str:
    """A key of KINDS."""
    found = _OF_REASON.get(view.reason, "other")
    content = view.content
    if found not in ("rule", "unknown") or content is None:
        return found
    if content.malware is Malware.INFECTED:
        return "malware"
    if content.malware is Malware.UNAVAILABLE:
        return "unscanned"
    if found == "rule" and content.level in _SPEAKING:
        return "content"
    return found


def content(view: HeldView) -> list[Said]:
    """What is known of its content, without a value of it."""
    facts = view.content
    if facts is None:
        return []
    said: list[Said] = []
    if facts.level is Level.UNKNOWN:
        said.append(Said("What it says could not be read, or not all of it.", "wait"))
    else:
        said.append(Said(f"It contains {LEVELS[facts.level]}.", "bad" if facts.level in _SPEAKING else "plain"))
    for answer, yes in (
        (facts.bulk, f"It contains {LEVELS[Level.BULK]}."),
        (facts.macro, "A file in it runs something when it is opened (macros, programs)."),
        (facts.encrypted, "A file in it is encrypted."),
        (facts.mismatch, "A file in it is not what its name says."),
    ):
        if answer is Ternary.YES:
            said.append(Said(yes, "bad"))
    if facts.malware in _MALWARE:
        tone = {Malware.INFECTED: "bad", Malware.UNAVAILABLE: "wait"}.get(facts.malware, "plain")
        said.append(Said(_MALWARE[facts.malware], tone))
    return said


#: `HeldView.barred` -> why this person cannot release it
BARRED: Final[dict[str, str]] = {
    "own": "It is your own message: somebody else must approve it.",
    "approved": "You have approved it already: another person must approve it too.",
    "people": "It needs the approval of a person, which a key cannot give.",
    "damaged": "What is stored of it cannot be opened, so it cannot be sent.",
}
#: `HeldView.last_verb` -> what was done
DONE: Final[dict[str, str]] = {
    "release": "released",
    "refuse": "refused",
    "retract": "taken back",
    "hold": "held",
    "agree": "given an access code",
}
THEN: Final[dict[str, str]] = {
    "refuse": "it goes back to its sender with a report",
    "release": "it is sent as the rules then say",
}
