"""Whether a mail somebody holds is the one of a proof.

What later servers do to a mail is allowed for: header lines added above (Received, DKIM, ARC, Authentication-Results),
header lines folded anew, white space at line ends, line ends turned into LF by a mail program. What they may not change
without being named: body, From, To, Date, Message-ID, Subject."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from carepost.crypto import dkim
from carepost.proof import kinds
from carepost.proof.commitments import mail_value, submitted_digest

#: header fields above ours that we look under
_ABOVE: Final = 64
_NAMES: Final = {
    "message-id": "the Message-ID", "body": "the text (body)", "from": "From", "to": "To", "date": "Date",
    "subject": "the Subject",
}  # fmt: skip
#: one field with its folds
_TOP: Final = re.compile(rb"([^:\r\n]*):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
_SHOWN: Final = frozenset(name.lower() for name in dkim.SIGNED)
#: nearest to the inbox first
_ORDER: Final = (kinds.DELIVERY_SENT, kinds.DELIVERY_UNCERTAIN, kinds.DELIVERY_DEPOSITED, kinds.MESSAGE_ACCEPTED)

Opened = Sequence[tuple[str, Mapping[str, bytes]]]


def normal(message: bytes) -> bytes:
    """The message with CRLF line ends, without the `From ` line of an mbox file."""
    if message.startswith(b"From "):
        message = message.partition(b"\n")[2]
    if message.count(b"\n") != message.count(b"\r\n"):
        message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return message


def compare(message: bytes, opened: Opened) -> tuple[bool, str]:
    """`opened`: (kind, opened commitments) of the proof's events. Returns (matches, words)."""
    raw = normal(message)
    exact = _exact(raw, opened)
    if exact:
        return True, exact
    mine = _lines(mail_value(raw))
    closest: list[str] | None = None
    for kind in _ORDER:
        for name, values in opened:
            if name != kind or "mail" not in values:
                continue
            theirs = _lines(values["mail"])
            if mine == theirs:
                return True, (
                    "the mail is the one of this proof: its text, From, To, Date, Message-ID and Subject are unchanged "
                    "(other header lines may have been added on the way)"
                )
            differing = [field for field in _NAMES if mine.get(field) != theirs.get(field)]
            if closest is None or len(differing) < len(closest):
                closest = differing
    if closest is None:
        return False, "the proof holds nothing a mail could be compared with"
    if "message-id" in closest:
        return False, "the mail is not the one of this proof: its Message-ID is another"
    changed = _and([_NAMES[field] for field in closest])
    return False, f"the mail is not the one that was sent: {changed} differ{'s' if len(closest) == 1 else ''}"


def _exact(raw: bytes, opened: Opened) -> str:
    sent = {values["sent"] for _, values in opened if "sent" in values}
    for above, cut in enumerate(_cuts(raw) if sent else []):
        if sha256(raw[cut:]).digest() in sent:
            below = f", under {above} header fields that later servers added" if above else ""
            return f"the mail is, byte for byte, what was sent{below}"
    whole = sha256(raw).digest()
    if any(values.get("deposit") == whole for _, values in opened):
        return "the message is, byte for byte, what was laid into the portal"
    submitted = submitted_digest(raw)
    if any(values.get("submitted") == submitted for _, values in opened):
        return "the message is, byte for byte, the one handed over to be sent (Bcc fields apart)"
    return ""


def _cuts(raw: bytes) -> list[int]:
    """Where our first header field may begin: below the first, second, … field of those added above. A field that a
    mail program shows or obeys (any that DKIM oversigns) is never one a later server may add: a second Subject above
    ours would be the one that is read."""
    header, _ = dkim.split(raw)
    cuts, at = [0], 0
    for field in _TOP.finditer(header):
        if field.start() != at or field[1].rstrip(b" \t").lower() in _SHOWN or len(cuts) > _ABOVE:
            break
        at = field.end()
        cuts.append(at)
    return cuts


def _lines(value: bytes) -> dict[str, str]:
    pairs = (line.partition(" ") for line in value.decode("ascii", "replace").split("\n"))
    return {name: digest for name, _, digest in pairs}


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
