"""The words of the console: states, assurances, methods and stages as people say them. One place, so pages agree."""

from typing import Final

import msgspec

#: state -> (word, class of its mark)
STATES: Final[dict[str, tuple[str, str]]] = {
    "queued": ("Waiting to be sent", "wait"),
    "claimed": ("Being sent now", "wait"),
    "deferred": ("Will be tried again", "wait"),
    "held": ("Held for a person", "bad"),
    "sent": ("Accepted by the recipient’s server", "good"),
    "deposited": ("In the portal, not opened yet", "wait"),
    "open": ("In the portal, not opened yet", "wait"),
    "opened": ("Opened in the portal", "good"),
    "expired": ("Expired in the portal", "plain"),
    "retracted": ("Taken back", "plain"),
    "deleted": ("Deleted by the recipient", "plain"),
    "failed": ("Failed", "bad"),
    "tested": ("Test: not sent", "plain"),
    "suppressed": ("Not sent: the address is on the suppression list", "plain"),
}

ASSURANCES: Final[dict[str, str]] = {
    "NONE": "no protection on the way",
    "ENCRYPTED": "encrypted, but the other side is not known for sure",
    "MAILBOX": "read in the portal after a code sent by e-mail",
    "VERIFIED": "encrypted to a server whose certificate fits its name",
    "AUTHENTICATED": "encrypted to a server proved to be the recipient’s own",
    "MESSAGE": "the message itself was encrypted for this person",
    "PORTAL": "read in the portal after a proof that did not travel by e-mail",
}

METHODS: Final[dict[str, str]] = {
    "tls": "ordinary mail over TLS",
    "smime": "S/MIME",
    "openpgp": "OpenPGP",
    "portal": "secure portal",
}

STAGES: Final[dict[str, str]] = {
    "plan": "deciding",
    "dns": "looking up the mail servers",
    "connect": "connecting",
    "banner": "waiting for the greeting",
    "ehlo": "greeting",
    "starttls": "starting encryption",
    "floor": "comparing the protection with what is required",
    "mail": "naming the sender",
    "rcpt": "naming the recipient",
    "data": "sending the message",
    "dot": "waiting for the final answer",
    "quit": "ending",
    "seal": "preparing the message",
    "deposit": "laying it into the portal",
}

ORIGINS: Final[dict[str, str]] = {
    "smtp": "submitted by SMTP",
    "api": "sent through the API",
    "console": "written in the console",
    "mx": "came in from outside",
    "portal": "reply written in the portal",
    "reply": "answer by e-mail that joined a conversation of the portal",
    "form": "form",
    "campaign": "campaign",
    "bounce": "report of non-delivery, made by Carepost",
    "notice": "notice made by Carepost",
    "report": "report made by Carepost",
}


#: reason code -> what was seen of the recipient's side
WEAKENED: Final[dict[str, str]] = {
    "tls-lost": "It offered encryption before and does not any more. Somebody may be standing in between.",
    "mx-moved": "Its mail servers changed while its DNS is not signed. Somebody may have changed them.",
}


#: the same for lists, where room is short
_SHORT: Final[dict[str, str]] = {
    "sent": "Server accepted",
    "deposited": "In the portal",
    "open": "In the portal",
    "opened": "Opened",
    "held": "Held",
    "queued": "Waiting",
    "claimed": "Being sent",
    "deferred": "Trying again",
    "expired": "Expired",
    "deleted": "Deleted",
    "suppressed": "Suppressed",
}


class Mark(msgspec.Struct, frozen=True):
    word: str
    #: good | wait | bad | plain
    tone: str
    short: str


#: what a look into a message found (policy.content.Level)
CONTENT: Final = {
    "none": "Nothing about a person’s health",
    "health-generic": "Health, but about nobody",
    "pii-only": "A person, but no health",
    "phi-likely": "Probably health information about a person",
    "phi-high": "Health information about a person",
}


def state(value: str) -> Mark:
    word, tone = STATES.get(value, (value, "plain"))
    return Mark(word, tone, _SHORT.get(value, word))


def method(value: str) -> str:
    return METHODS.get(value, value or "nothing yet")


def assurance(value: str) -> str:
    return ASSURANCES.get(value, "")


def stage(value: str) -> str:
    return STAGES.get(value, value)
