"""Blind index: what can be searched or compared without being readable (DESIGN 5).

A token is the first 8 bytes of HMAC-SHA256(key, field ‖ 0 ‖ normalised value); with `day`, the key is one of that day,
so that equal values of different days cannot be told equal by whoever holds the tokens alone. 8 bytes make false hits
possible: a hit is decrypted and compared before it is shown."""

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

from carepost.crypto.digest import hmac_sha256

TOKEN = 8
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_DAY_US = 86_400_000_000
#: subject words indexed of one message
WORDS = 12
#: fields whose values come again and again: a dozen tokens a message, of which two are new
_REPEATED: Final = frozenset({"domain", "sender", "word", "tag"})
_word = re.compile(r"\w{2,}")


def day_of(us: int) -> int:
    """The UTC day (days since 1970) of a time in microseconds."""
    return us // _DAY_US


@lru_cache(maxsize=1024)
def _begun(key: bytes, day: int | None) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes of HMAC with their pads taken in: the journal makes a dozen tokens a message."""
    if day is not None:
        key = hmac_sha256(key, b"carepost index day" + day.to_bytes(4, "big"))
    padded = key.ljust(64, b"\0")
    return hashlib.sha256(padded.translate(_INNER)), hashlib.sha256(padded.translate(_OUTER))


def token(key: bytes, field: str, value: str, day: int | None = None) -> bytes:
    """8 bytes. `field`: address | domain | sender | message-id | word | another name the caller fixes."""
    if field in _REPEATED:
        return _remembered(key, field, value, day)
    return _made(key, field, value, day)


def _made(key: bytes, field: str, value: str, day: int | None) -> bytes:
    begun, ending = _begun(key, day)
    inner, outer = begun.copy(), ending.copy()
    inner.update(f"{field}\0{normalise(field, value)}".encode("utf-8", "surrogatepass"))
    outer.update(inner.digest())
    return outer.digest()[:TOKEN]


_remembered = lru_cache(maxsize=8192)(_made)


def normalise(field: str, value: str) -> str:
    """The form in which two values count as the same. Addresses and words ignore case; a Message-ID does not
    (RFC 5322 3.6.4), but loses its angle brackets."""
    value = value.strip()
    if field == "message-id":
        return value.removeprefix("<").removesuffix(">").strip()
    value = value.lower() if value.isascii() else unicodedata.normalize("NFKC", value).casefold()
    if field == "domain":
        return value.rstrip(".")
    return value


def subject_words(subject: str) -> list[str]:
    """The first 12 different words of a subject, normalised; what a search for a word is compared with."""
    words = dict.fromkeys(_word.findall(unicodedata.normalize("NFKC", subject).casefold()))
    return list(words)[:WORDS]
