"""What a refusal means: reason, class and action, of an SMTP reply or of a report that came back. Pure and total.

Words are matched before codes, because many providers misuse codes. The class says what a refusal is about:
hard (the address), soft (may pass), block (us, or what we wrote), admin (how one side is set up), undetermined."""

import enum
import re
from typing import Final

import msgspec

from carepost.rfc import bouncewords

#: characters of a text looked at
_MOST: Final = 2_000


class Class(enum.StrEnum):
    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"
    ADMIN = "admin"
    UNDETERMINED = "undetermined"


class Action(enum.StrEnum):
    """What follows for the address, or for us."""

    #: nothing more is sent there
    SUPPRESS = "suppress"
    #: counted; many in a while suppress marketing
    COUNT = "count"
    #: our reputation or content: somebody looks at it, the address stays
    REVIEW = "review"
    #: how we or they are set up
    MEND = "mend"
    NONE = "none"


class Meaning(msgspec.Struct, frozen=True):
    klass: Class
    action: Action
    #: for people: completes "It came back: …"
    words: str


_HARD, _SOFT, _BLOCK, _ADMIN = Class.HARD, Class.SOFT, Class.BLOCK, Class.ADMIN
MEANINGS: Final[dict[str, Meaning]] = {
    "user-unknown": Meaning(_HARD, Action.SUPPRESS, "there is no such mailbox"),
    "domain-unknown": Meaning(_HARD, Action.SUPPRESS, "the domain does not exist or takes no mail"),
    "mailbox-inactive": Meaning(_HARD, Action.SUPPRESS, "the mailbox is closed"),
    "moved": Meaning(_HARD, Action.SUPPRESS, "the recipient has another address now"),
    "mailbox-full": Meaning(_SOFT, Action.COUNT, "the mailbox is full"),
    "too-large": Meaning(_SOFT, Action.REVIEW, "the message is too large for the recipient's server"),
    "rate-limited": Meaning(_SOFT, Action.COUNT, "too many messages in a short time"),
    "greylisted": Meaning(_SOFT, Action.COUNT, "the server asks everybody to try again later"),
    "server-trouble": Meaning(_SOFT, Action.COUNT, "the recipient's server had trouble of its own"),
    "network": Meaning(_SOFT, Action.COUNT, "the recipient's server could not be reached"),
    "dns-failure": Meaning(_SOFT, Action.COUNT, "the recipient's domain could not be looked up"),
    "expired": Meaning(_SOFT, Action.COUNT, "it could not be delivered in the time allowed"),
    "too-many-recipients": Meaning(_SOFT, Action.COUNT, "too many recipients at once"),
    "loop": Meaning(_ADMIN, Action.MEND, "the mail goes round in circles on the recipient's side"),
    "reputation": Meaning(_BLOCK, Action.REVIEW, "our server or domain is on a block list there"),
    "spam-content": Meaning(_BLOCK, Action.REVIEW, "the message was taken for spam"),
    "virus-found": Meaning(_BLOCK, Action.REVIEW, "the recipient's scanner says that it found a virus"),
    "auth-failed": Meaning(_BLOCK, Action.MEND, "SPF, DKIM or DMARC did not pass there"),
    "ptr-missing": Meaning(_BLOCK, Action.MEND, "the name of our server does not resolve both ways"),
    "sender-refused": Meaning(_BLOCK, Action.REVIEW, "the sender's address is not accepted there"),
    "policy": Meaning(_BLOCK, Action.REVIEW, "a rule of the recipient's side refused it"),
    "content-refused": Meaning(_BLOCK, Action.REVIEW, "the form of the message or a file in it was refused"),
    "relay-denied": Meaning(_ADMIN, Action.MEND, "the server does not take mail for that domain"),
    "tls-required": Meaning(_ADMIN, Action.MEND, "the other side asks for another kind of encryption"),
    "protocol": Meaning(_ADMIN, Action.MEND, "a step of the protocol was not accepted"),
    "unknown": Meaning(Class.UNDETERMINED, Action.NONE, "no reason that can be understood was given"),
}

#: RFC 3463 subject.detail, or a subject for the rest of it -> reason
_ENHANCED: Final[dict[str, str]] = {
    "1.0": "user-unknown", "1.1": "user-unknown", "1.2": "domain-unknown", "1.3": "user-unknown",
    "1.4": "user-unknown", "1.6": "moved", "1.7": "sender-refused", "1.8": "sender-refused", "1.10": "domain-unknown",
    "2.1": "mailbox-inactive", "2.2": "mailbox-full", "2.3": "too-large", "2.4": "server-trouble",
    "3": "server-trouble", "3.3": "content-refused", "3.4": "too-large",
    "4": "network", "4.3": "dns-failure", "4.4": "domain-unknown", "4.6": "loop", "4.7": "expired", "4.8": "policy",
    "5": "protocol", "5.3": "too-many-recipients", "6": "content-refused",
    "7": "policy", "7.4": "tls-required", "7.5": "tls-required", "7.8": "relay-denied", "7.10": "tls-required",
    "7.11": "tls-required", "7.20": "auth-failed", "7.21": "auth-failed", "7.22": "auth-failed", "7.23": "auth-failed",
    "7.24": "auth-failed", "7.25": "ptr-missing", "7.26": "auth-failed", "7.27": "sender-refused",
    "7.28": "rate-limited", "7.30": "tls-required", "7.606": "reputation",
}  # fmt: skip
_CODES: Final[dict[int, str]] = {
    421: "server-trouble", 422: "mailbox-full", 431: "server-trouble", 432: "server-trouble", 441: "network",
    442: "network", 446: "loop", 447: "expired", 450: "server-trouble", 451: "server-trouble", 452: "mailbox-full",
    454: "tls-required", 471: "policy", 500: "protocol", 501: "protocol", 502: "protocol", 503: "protocol",
    504: "protocol", 510: "user-unknown", 511: "user-unknown", 512: "domain-unknown", 521: "domain-unknown",
    523: "too-large", 530: "relay-denied", 535: "relay-denied", 541: "spam-content", 550: "user-unknown",
    551: "user-unknown", 552: "mailbox-full", 553: "user-unknown", 554: "policy", 555: "protocol",
    556: "domain-unknown",
}  # fmt: skip
_NUMBER: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?:^|[\s:>(#])([245][0-5]\d)(?=[\s\-]|$)")
#: what a reason may hide behind without naming it: the words are said of everything
_WEAK: Final = frozenset({"policy", "server-trouble", "content-refused", "protocol", "network", "expired"})
#: a failure for the moment of what is otherwise for good
_FOR_NOW: Final = frozenset({"user-unknown", "mailbox-inactive", "moved", "domain-unknown"})
_ADDRESS: Final = re.compile(r"<?[^\s<>@:;,()]{1,64}@[^\s<>@:;,()]{1,255}>?")
_LINK: Final = re.compile(r"https?://\S+", re.IGNORECASE)
#: `mx.example[192.0.2.1]:25`: names of hosts are no reasons either
_HOST: Final = re.compile(
    r"(?:\bhost\s+\S+\s?|\S+\.\S+)\[[0-9a-fA-F.:]{3,45}\](?::\d+)?:?(?:\s+said:)?|\(in reply to [^()]{1,80}\)"
    r"|\bremote host said:"
)


class Verdict(msgspec.Struct, frozen=True):
    """`enhanced`, `code`: as given, or as found in the text; "" and 0 where there is none."""

    reason: str
    klass: Class
    action: Action
    enhanced: str = ""
    code: int = 0

    @property
    def words(self) -> str:
        return MEANINGS[self.reason].words

    @property
    def permanent(self) -> bool:
        return not (self.enhanced.startswith("4") or self.code // 100 == 4)


def classify(text: str, enhanced: str = "", code: int = 0) -> Verdict:
    """`text`: what the other side said, in its words; `enhanced`: `5.1.1` or ""; `code`: `550` or 0. Never raises."""
    said = " ".join(text[:_MOST].split())
    enhanced = enhanced if _NUMBER.fullmatch(enhanced) else ""
    if not enhanced and (found := _NUMBER.search(said)):
        enhanced = found[0]
    if not code and (first := _REPLY.search(said)):
        code = int(first[1])
    reason = _by_words(said)
    if reason in _WEAK and enhanced:
        exact = _by_code(enhanced, 0)
        reason = reason if exact == "unknown" or exact in _WEAK else exact
    if reason == "too-large" and enhanced[1:] == ".2.2":
        # "error writing message: File too large", of a mailbox that holds no more
        reason = "mailbox-full"
    reason = reason or _by_code(enhanced, code)
    verdict = _made(reason, enhanced, code)
    if reason in _FOR_NOW and not verdict.permanent:
        # said with a temporary code it may pass: never a reason to give an address up
        return msgspec.structs.replace(verdict, klass=Class.SOFT, action=Action.COUNT)
    return verdict


def _made(reason: str, enhanced: str, code: int) -> Verdict:
    meaning = MEANINGS[reason]
    return Verdict(reason, meaning.klass, meaning.action, enhanced, code)


def _by_words(said: str) -> str:
    """Addresses and links are taken out: `spam@`, or a help page's name, is no reason."""
    bare = _HOST.sub(" ", _LINK.sub(" ", _ADDRESS.sub(" <> ", said)))
    return next((reason for reason, pattern in bouncewords.REASONS if pattern.search(bare)), "")


def _by_code(enhanced: str, code: int) -> str:
    if enhanced:
        _, subject, detail = enhanced.split(".")
        found = _ENHANCED.get(f"{int(subject)}.{int(detail)}") or _ENHANCED.get(str(int(subject)), "")
        if found and found != "unknown":
            return found
    return _CODES.get(code, "unknown")
