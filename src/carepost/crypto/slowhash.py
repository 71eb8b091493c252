"""Slow hashes of what people remember: access codes and answers to questions. Argon2id (RFC 9106), 50-100 ms each.

Case, spaces and punctuation do not count: "St. John's Road" and "st johns road" are one answer, and a code may be
typed with or without its dashes."""

import os
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

#: OWASP's second choice doubled in passes: 32 MiB, 2 passes, 1 lane; about 80 ms on a 2020 server core
_MEMORY_KIB, _PASSES, _LANES = 32 * 1024, 2, 1
_LENGTH, _SALT = 32, 16
#: longer secrets are refused before they cost anything
LIMIT = 1024


def normalise(secret: str) -> str:
    """Letters, digits and marks, case folded; the trimmed text itself where nothing else is in it."""
    folded = unicodedata.normalize("NFKC", secret).casefold()
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LNM")
    return kept or folded.strip()


def make(secret: str) -> str:
    """A PHC string `$argon2id$v=19$…`. Raises ValueError for an empty or over-long secret."""
    plain = normalise(secret).encode("utf-8", "surrogatepass")
    if not plain or len(secret) > LIMIT:
        raise ValueError("an access code or answer has 1 to 1024 characters")
    kdf = Argon2id(salt=os.urandom(_SALT), length=_LENGTH, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return kdf.derive_phc_encoded(plain)


def verify(stored: str, secret: str) -> bool:
    """False for a wrong secret, and for a stored text that is not one of ours."""
    if len(secret) > LIMIT or not stored.startswith("$argon2id$"):
        return False
    try:
        Argon2id.verify_phc_encoded(normalise(secret).encode("utf-8", "surrogatepass"), stored)
    except (InvalidKey, ValueError):
        return False
    return True
