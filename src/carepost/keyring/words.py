"""What stands about a certificate, as people read it."""

from typing import Final

import msgspec

DAY_US: Final = 86_400_000_000
#: days before the end from which it is said
SOON: Final = 30

METHODS: Final = {"smime": "S/MIME", "openpgp": "OpenPGP"}
#: in the order of trust (standards 3.4)
SOURCES: Final = {
    "administrator": "handed in by an administrator",
    "recipient": "uploaded by the recipient, who proved that it is theirs",
    "smimea": "published in the recipient’s signed DNS (SMIMEA)",
    "openpgpkey": "published in the recipient’s signed DNS (OPENPGPKEY)",
    "wkd": "published by the recipient’s domain (Web Key Directory)",
    "signed-mail": "taken from mail they signed",
    "autocrypt": "offered in a header of their mail (Autocrypt)",
}
_ORDER: Final = tuple(SOURCES)
#: what a person can turn on: name, what it is called, what it means
CHOICES: Final = (
    ("smimea", "S/MIME certificates in signed DNS (SMIMEA)", "Their domain publishes it; DNSSEC proves it."),
    ("openpgpkey", "OpenPGP keys in signed DNS (OPENPGPKEY)", "Their domain publishes it; DNSSEC proves it."),
    ("wkd", "OpenPGP keys of a Web Key Directory", "Their domain’s web server publishes it; TLS proves it."),
    (
        "signed-mail", "Certificates of signed mail they sent",
        "Only of mail whose sender DMARC proves, signed by a certificate of an authority below.",
    ),
    (
        "autocrypt", "Autocrypt headers of mail they sent",
        "Whoever can send as them can place a key. The least trusted; off unless you know why.",
    ),
)  # fmt: skip


class Mark(msgspec.Struct, frozen=True):
    """`tone`: good | wait | bad | plain. `text`: what it means for mail."""

    word: str
    tone: str
    text: str


_ASKS: Final = (
    "Mail for this recipient can be encrypted to it whenever its authority says that it was not revoked. Where nobody "
    "can be asked, mail goes the next way, unless you vouch for this certificate."
)
_OTHERS: Final = {
    "changed": Mark(
        "Changed: mail is held", "bad",
        "It differs from the one that was known. What needs it waits until somebody decides which of them holds, "
        "and goes on by itself then.",
    ),
    "replaced": Mark("Replaced", "plain", "Another one took its place for this recipient."),
    "withdrawn": Mark("Taken back", "plain", "The recipient wants it used no more."),
    "distrusted": Mark("Distrusted", "bad", "Nothing is ever encrypted to it."),
}  # fmt: skip


def mark(state: str, not_after: int, now: int, *, asks: bool = False) -> Mark:
    """Of a certificate with this state and end (UTC microseconds, 0 for never), now. `asks`: its authority is asked
    before each use whether it was revoked, and an answer is wanted."""
    if state != "in use":
        return _OTHERS.get(state, Mark(state, "plain", ""))
    if not_after and not_after <= now:
        return Mark("Ran out", "bad", "Nothing is encrypted to it any more. Ask the recipient for the new one.")
    if not_after and not_after - now <= (SOON + 1) * DAY_US:
        return Mark("In use, ends soon", "wait", "Ask the recipient for the new one before it ends.")
    if asks:
        return Mark("In use", "good", _ASKS)
    return Mark("In use", "good", "Mail for this recipient can be encrypted to it.")


def method(value: str) -> str:
    return METHODS.get(value, value)


def rank(source: str) -> int:
    """0 is trusted most. The two kinds of signed DNS are one."""
    at = _ORDER.index(source) if source in _ORDER else len(_ORDER)
    return _ORDER.index("smimea") if source == "openpgpkey" else at


def source(value: str) -> str:
    return SOURCES.get(value, value)


def own_source(value: str) -> str:
    """To the key's owner."""
    return _OWN.get(value, "Your mail system published it.")


_OWN: Final = {
    "administrator": "The office handed it in.",
    "recipient": "You gave it here.",
    "signed-mail": "It came with a signed message of yours.",
    "autocrypt": "It came with a message of yours.",
}


def grouped(fingerprint: str) -> str:
    """In groups of four, upper case: as it is read aloud."""
    plain = fingerprint.upper()
    return " ".join([plain[at : at + 4] for at in range(0, len(plain), 4)])
