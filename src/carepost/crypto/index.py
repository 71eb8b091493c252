"""Blind index: what can be searched or compared without being readable (DESIGN 5).

A token is the first 8 bytes of HMAC-SHA256(key, field ‖ 0 ‖ normalised value); with `day`, the key is one of that day,
so that equal values of different days cannot be told equal by whoever holds the tokens alone. 8 bytes make false hits
possible: a hit is decrypted and compared before it is shown."""

import re
import unicodedata
from functools import lru_cache

from carepost.crypto.digest import hmac_sha256

TOKEN = 8
_DAY_US = 86_400_000_000
#: subject words indexed of one message
WORDS = 12
_word = re.compile(r"\w{2,}")


def day_of(us: int) -> int:
    """The UTC day (days since 1970) of a time in microseconds."""
    return us // _DAY_US


@lru_cache(maxsize=1024)
def _day_key(key: bytes, day: int) -> bytes:
    return hmac_sha256(key, b"carepost index day" + day.to_bytes(4, "big"))


def token(key: bytes, field: str, value: str, day: int | None = None) -> bytes:
    """8 bytes. `field`: address | domain | sender | message-id | word | another name the caller fixes."""
    if day is not None:
        key = _day_key(key, day)
    plain = field.encode() + b"\0" + normalise(field, value).encode("utf-8", "surrogatepass")
    return hmac_sha256(key, plain)[:TOKEN]


def normalise(field: str, value: str) -> str:
    """The form in which two values count as the same. Addresses and words ignore case; a Message-ID does not
    (RFC 5322 3.6.4), but loses its angle brackets."""
    value = value.strip()
    if field == "message-id":
        return value.removeprefix("<").removesuffix(">").strip()
    value = unicodedata.normalize("NFKC", value).casefold()
    if field == "domain":
        return value.rstrip(".")
    return value


def subject_words(subject: str) -> list[str]:
    """The first 12 different words of a subject, normalised; what a search for a word is compared with."""
    words = dict.fromkeys(_word.findall(unicodedata.normalize("NFKC", subject).casefold()))
    return list(words)[:WORDS]
