"""SCRAM-SHA-256 (RFC 5802, RFC 7677): verifiers instead of passwords, and the server's side of the exchange.

A verifier is `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (base64), the form of RFC 5803 that PostgreSQL
uses too. Passwords are made here (160 random bits), so 4,096 iterations, the least RFC 7677 allows, lose nothing.
Channel binding is not offered (no -PLUS): a client that insists on it is refused."""

import base64
import binascii
import hashlib
import hmac
import os
import stringprep
import unicodedata
from enum import Enum

from carepost.ground.errors import CarepostError

ITERATIONS = 4096
#: what a stored or foreign verifier may ask of us at most
_MOST_ITERATIONS = 1_000_000
_SALT = 16
_LIMIT = 2048


class ScramError(CarepostError):
    """The exchange ends here. `code` is the RFC 5802 server error (`e=`); an unknown user is `invalid-proof` too."""

    def __init__(self, code: str) -> None:
        super().__init__(code, "The name or the password is not right.")


class Verifier:
    """A parsed verifier. Raises ValueError for a text that is none."""

    __slots__ = ("iterations", "salt", "server_key", "stored_key")

    def __init__(self, text: str) -> None:
        try:
            name, counted, keys = text.split("$")
            iterations, salt = counted.split(":")
            stored, server = keys.split(":")
            self.iterations = int(iterations)
            self.salt = base64.b64decode(salt, validate=True)
            self.stored_key = base64.b64decode(stored, validate=True)
            self.server_key = base64.b64decode(server, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError("not a SCRAM-SHA-256 verifier") from None
        fits = name == "SCRAM-SHA-256" and 0 < self.iterations <= _MOST_ITERATIONS
        if not fits or len(self.stored_key) != 32 or len(self.server_key) != 32 or not self.salt:
            raise ValueError("not a SCRAM-SHA-256 verifier")


def new_password() -> str:
    """160 random bits as 32 characters a-z2-7: no quoting needed in any shell, file or mail client."""
    return base64.b32encode(os.urandom(20)).decode().lower()


def prepare(text: str) -> str:
    """SASLprep (RFC 4013): mapping, NFKC, prohibited characters; without the bidirectional rule, which only rejects.
    Raises ValueError."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    done = unicodedata.normalize("NFKC", mapped)
    tables = (
        stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
        stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
        stringprep.in_table_c9,
    )  # fmt: skip
    if any(table(c) for c in done for table in tables):
        raise ValueError("a character that no password or name may hold")
    return done


def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", prepare(password).encode(), salt, iterations)


def _keys(salted: bytes) -> tuple[bytes, bytes]:
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")


def make(password: str, iterations: int = ITERATIONS, salt: bytes | None = None) -> str:
    """The verifier to keep. Raises ValueError for a password SASLprep refuses."""
    salt = salt or os.urandom(_SALT)
    stored, server = _keys(_salted(password, salt, iterations))
    return f"SCRAM-SHA-256${iterations}:{_b64(salt)}${_b64(stored)}:{_b64(server)}"


def check_plain(verifier: str, password: str) -> bool:
    """Whether a password given in clear (AUTH PLAIN under TLS) fits; constant time in the comparison. One PBKDF2 of
    4,096 rounds, 1-2 ms: run it off the loop."""
    known = Verifier(verifier)
    try:
        stored, _ = _keys(_salted(password, known.salt, known.iterations))
    except (ValueError, UnicodeEncodeError):
        return False
    return hmac.compare_digest(stored, known.stored_key)


class _State(Enum):
    NEW = 0
    STARTED = 1
    CHALLENGED = 2
    OVER = 3


class Server:
    """One exchange, without I/O: `start(client-first)` gives the username to look up; `challenge(verifier or None)`
    gives server-first; `finish(client-final)` gives server-final, after which `username` is authenticated.

    Each raises ScramError and ends the exchange. An unknown user gets a salt that is stable for that name (made from
    `secret`, which all processes share) and fails only at the end, as a wrong password does."""

    def __init__(self, secret: bytes, nonce: str | None = None) -> None:
        self.username = ""
        self.done = False
        self._secret = secret
        self._nonce = nonce or _b64(os.urandom(18))
        self._state = _State.NEW
        self._gs2 = b""
        self._bare = b""
        self._first = b""
        self._verifier: Verifier | None = None

    def start(self, client_first: bytes) -> str:
        """The username (SASLprep'd)."""
        self._move(_State.NEW, _State.STARTED)
        text = _text(client_first)
        if text.startswith("p="):
            raise self._fail("server-does-not-support-channel-binding")
        parts = text.split(",")
        # gs2-cbind-flag "," [authzid] "," "n=" user "," "r=" nonce ["," extensions]
        if len(parts) < 4 or parts[0] not in ("n", "y") or (parts[1] and not parts[1].startswith("a=")):
            raise self._fail("other-error")
        if parts[2].startswith("m="):
            raise self._fail("extensions-not-supported")
        if not parts[2].startswith("n=") or not parts[3].startswith("r="):
            raise self._fail("other-error")
        self.username = self._name(parts[2][2:])
        if parts[1] and self._name(parts[1][2:]) != self.username:
            raise self._fail("other-error")
        client_nonce = parts[3][2:]
        if not client_nonce or not all("!" <= c <= "~" for c in client_nonce):
            raise self._fail("other-error")
        self._gs2 = f"{parts[0]},{parts[1]},".encode()
        self._bare = client_first[len(self._gs2) :]
        self._nonce = client_nonce + self._nonce
        return self.username

    def challenge(self, verifier: str | None) -> bytes:
        """server-first. None: no such user."""
        self._move(_State.STARTED, _State.CHALLENGED)
        if verifier is not None:
            self._verifier = Verifier(verifier)
            salt, iterations = self._verifier.salt, self._verifier.iterations
        else:
            salt = hmac.digest(self._secret, b"scram salt\0" + self.username.encode(), "sha256")[:_SALT]
            iterations = ITERATIONS
        self._first = f"r={self._nonce},s={_b64(salt)},i={iterations}".encode()
        return self._first

    def finish(self, client_final: bytes) -> bytes:
        """server-final (`v=…`)."""
        self._move(_State.CHALLENGED, _State.OVER)
        text = _text(client_final)
        without, _, proof_text = text.rpartition(",p=")
        parts = without.split(",")
        if len(parts) < 2 or not parts[0].startswith("c=") or parts[1] != f"r={self._nonce}":
            raise self._fail("other-error")
        if _unb64(parts[0][2:]) != self._gs2:
            raise self._fail("channel-bindings-dont-match")
        proof = _unb64(proof_text)
        # an unknown user costs the same arithmetic, with keys nobody has
        known = self._verifier
        stored_key = known.stored_key if known else bytes(32)
        server_key = known.server_key if known else bytes(32)
        signed = b",".join((self._bare, self._first, without.encode()))
        signature = hmac.digest(stored_key, signed, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof.ljust(32, b"\0"), signature, strict=False))
        fits = hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)
        if known is None or len(proof) != 32 or not fits:
            raise self._fail("invalid-proof")
        self.done = True
        return b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256"))

    def _move(self, was: _State, now: _State) -> None:
        if self._state is not was:
            raise self._fail("other-error")
        self._state = now

    def _fail(self, code: str) -> ScramError:
        self._state = _State.OVER
        return ScramError(code)

    def _name(self, escaped: str) -> str:
        # RFC 5802 5.1: "=" only as =2C or =3D
        rest = escaped.replace("=2C", "").replace("=3D", "")
        try:
            name = prepare(escaped.replace("=2C", ",").replace("=3D", "="))
        except ValueError:
            raise self._fail("invalid-username-encoding") from None
        if "=" in rest or not name:
            raise self._fail("invalid-username-encoding")
        return name


def _text(raw: bytes) -> str:
    if len(raw) > _LIMIT:
        raise ScramError("other-error")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ScramError("other-error") from None


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramError("other-error") from None
