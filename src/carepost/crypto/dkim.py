"""DKIM signatures (RFC 6376, RFC 8301, RFC 8463): relaxed/relaxed, oversigned, RSA-2048 and Ed25519.

Never `l=`, never rsa-sha1. Each field of SIGNED is named once more than it occurs, so that one added later breaks the
signature. All signers of a message share one canonical body and one canonical header. Canonicalisation copies only when
there is something to fold, and then by C-speed replacements (a regular expression costs ten times as much)."""

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from carepost.crypto.digest import sha256

RSA: Final = "rsa-sha256"
ED25519: Final = "ed25519-sha256"

#: oversigned fields, in the order in which `h=` names them
SIGNED: Final = (
    b"From", b"To", b"Cc", b"Subject", b"Date", b"Reply-To", b"Message-ID", b"Sender", b"In-Reply-To", b"References",
    b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding", b"List-Id", b"List-Unsubscribe",
    b"List-Unsubscribe-Post", b"Auto-Submitted", b"Feedback-ID",
)  # fmt: skip
#: in the order of SIGNED
_WANTED: Final = {name.lower(): None for name in SIGNED}
_PADDING: Final = padding.PKCS1v15()
_SHA256: Final = hashes.SHA256()
_TAIL: Final = re.compile(rb"(?:\r\n)+\Z")
#: base64 characters on one folded line of a signature
_FOLD: Final = 72


def split(raw: bytes) -> tuple[bytes, bytes]:
    """(header with the CRLF of its last field, body). A message without an empty line is all header."""
    if raw.startswith(b"\r\n"):
        return b"", raw[2:]
    end = raw.find(b"\r\n\r\n")
    return (raw, b"") if end < 0 else (raw[: end + 2], raw[end + 4 :])


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4: runs of white space become one space, none at line ends, no empty lines at the end; a body
    without a line is empty, any other ends in CRLF."""
    # base64, as what is encrypted has it, holds none of either: then nothing else is looked for
    tabs = b"\t" in body
    if tabs or (b" " in body and (b"  " in body or b" \r\n" in body or body.endswith(b" "))):
        if tabs:
            body = body.replace(b"\t", b" ")
        while b"  " in body:
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    if not body.endswith(b"\r\n"):
        return body + b"\r\n" if body else b""
    if body.endswith(b"\r\n\r\n") or body == b"\r\n":
        kept = body.rstrip(b"\r\n")
        tail = body[len(kept) :]
        if tail != b"\r\n" * (len(tail) // 2):
            kept = _TAIL.sub(b"", body)
        return kept + b"\r\n" if kept else b""
    return body


def body_hash_relaxed(raw: bytes) -> bytes:
    """SHA-256 of the relaxed body of a whole message: what `bh=` says, and what a proof commits to."""
    return sha256(relaxed_body(split(raw)[1]))


def relaxed_value(value: bytes) -> bytes:
    """RFC 6376 3.4.2 of one field's value: unfolded, runs of white space one space, none at its ends."""
    if b"\r\n" in value:
        value = value.replace(b"\r\n", b"")
    if b"\t" in value:
        value = value.replace(b"\t", b" ")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value.strip(b" ")


def fields(header: bytes) -> list[tuple[bytes, bytes]]:
    """(lower-case name, raw value with its folds) of each field, top to bottom. Lines that are no field are ignored."""
    found: list[tuple[bytes, bytes]] = []
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            if found:
                name, value = found[-1]
                found[-1] = (name, value + b"\r\n" + line)
            continue
        name, colon, value = line.partition(b":")
        if colon:
            found.append((name.rstrip(b" \t").lower(), value))
    return found


class Canonical(NamedTuple):
    """A header as signatures and proofs see it, read once a message."""

    #: how often each SIGNED field occurs
    counts: tuple[int, ...]
    #: their canonical form, each field's instances from the bottom up
    signed: bytes
    #: SIGNED field (lower case) -> its relaxed values, top to bottom
    values: dict[bytes, list[bytes]]


#: names as they were written -> lower case, those of SIGNED alone; b"" for any other
_written: dict[bytes, bytes] = {}
#: how many are remembered, and octets of one
_WRITTEN, _LONGEST = 4096, 64


def _name(written: bytes) -> bytes:
    name = written.rstrip(b" ").lower()
    known = name if name in _WANTED else b""
    if len(written) <= _LONGEST:
        if len(_written) >= _WRITTEN:
            _written.clear()
        _written[written] = known
    return known


def _unfolded(header: bytes) -> list[tuple[bytes, bytes]]:
    """`fields`, those of SIGNED alone with their relaxed values, of a header without folds and double spaces."""
    found = []
    for line in header.split(b"\r\n"):
        written, colon, value = line.partition(b":")
        name = _written.get(written)
        if name is None:
            name = _name(written)
        if colon and name:
            found.append((name, value.strip(b" ")))
    return found


class _Standing(NamedTuple):
    """What follows from which fields a header has, and in what order."""

    counts: tuple[int, ...]
    #: where each line of the canonical form stands among them
    order: tuple[int, ...]
    #: name, and where its instances stand, top to bottom
    places: tuple[tuple[bytes, tuple[int, ...]], ...]


@lru_cache(maxsize=512)
def _standing(names: tuple[bytes, ...]) -> _Standing:
    """Mail of one program has the same fields again and again."""
    held: dict[bytes, list[int]] = {}
    for at, name in enumerate(names):
        held.setdefault(name, []).append(at)
    counts = tuple(len(held.get(name, ())) for name in _WANTED)
    order = tuple(at for name in _WANTED for at in reversed(held.get(name, [])))
    return _Standing(counts, order, tuple((name, tuple(places)) for name, places in held.items()))


def canonical(header: bytes) -> Canonical:
    """`header`: as `split` gives it."""
    if b"\t" in header or b"  " in header or b"\r\n " in header or header.startswith(b" "):
        found = [(name, relaxed_value(value)) for name, value in fields(header) if name in _WANTED]
    else:
        # nothing is folded, no white space to be made one: what is left is at the ends
        found = _unfolded(header)
    return _canonical(found)


def canonical_of(values: Mapping[bytes, bytes]) -> Canonical:
    """`canonical` of a header whose fields are known, and none of which stands twice: lower-case name -> value, with
    its folds. Names that are not in SIGNED change nothing."""
    return _canonical([(name, relaxed_value(value)) for name, value in values.items() if name in _WANTED])


def _canonical(found: Sequence[tuple[bytes, bytes]]) -> Canonical:
    counts, order, places = _standing(tuple([name for name, _ in found]))
    signed = b"".join([b"%s:%s\r\n" % found[at] for at in order])
    return Canonical(counts, signed, {name: [found[at][1] for at in held] for name, held in places})


@lru_cache(maxsize=512)
def _names(counts: tuple[int, ...]) -> bytes:
    """The value of `h=`, folded: every SIGNED field once more than it occurs."""
    names = [name for name, count in zip(SIGNED, counts, strict=True) for _ in range(count + 1)]
    lines: list[bytes] = [b""]
    for i, name in enumerate(names):
        item = name + (b":" if i + 1 < len(names) else b"")
        if len(lines[-1]) + len(item) > _FOLD:
            lines.append(b"")
        lines[-1] += item
    return b"\r\n\t".join(lines)


class Signer:
    """One key of one sender domain. `private_der`: PKCS#8 in clear. Raises ValueError for a key that does not fit."""

    __slots__ = ("_ed25519", "_rsa", "_start", "algorithm", "domain", "selector")

    def __init__(self, domain: str, selector: str, algorithm: str, private_der: bytes) -> None:
        key = serialization.load_der_private_key(private_der, None)
        rsa = isinstance(key, RSAPrivateKey) and key.key_size >= 2048 and algorithm == RSA
        if not rsa and not (isinstance(key, Ed25519PrivateKey) and algorithm == ED25519):
            raise ValueError(f"the DKIM key {selector} of {domain} is not an {algorithm} key of at least 2048 bits")
        if not all("!" <= c <= "~" and c != ";" for c in domain + selector) or not domain or not selector:
            raise ValueError("a DKIM domain and selector are names in A-labels")
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        # asked once: what `cryptography` calls a key is an abstract class, and to look through it costs a microsecond
        self._rsa = key if isinstance(key, RSAPrivateKey) else None
        self._ed25519 = key if isinstance(key, Ed25519PrivateKey) else None
        start = f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector};\r\n\tt="
        self._start = start.encode("ascii")

    def sign(self, raw: bytes, now_s: int) -> bytes:
        """The complete header field for `raw` (CRLF line ends), its CRLF included, to stand before everything."""
        return sign_all(raw, (self,), now_s)

    def _field(self, counts: tuple[int, ...], signed: bytes, body_hash: bytes, now_s: int) -> bytes:
        names = _names(counts)
        field = b"%s%d; h=%s;\r\n\tbh=%s;\r\n\tb=" % (self._start, now_s, names, body_hash)
        # its own relaxed form: the folds above are the only runs of white space in it
        canonical = b"dkim-signature:" + field[16:].replace(b"\r\n\t", b" ")
        signature = base64.b64encode(self._sign(signed + canonical))
        if len(signature) > _FOLD:
            signature = b"\r\n\t".join([signature[i : i + _FOLD] for i in range(0, len(signature), _FOLD)])
        return field + signature + b"\r\n"

    def _sign(self, data: bytes) -> bytes:
        if self._rsa is not None:
            return self._rsa.sign(data, _PADDING, _SHA256)
        assert self._ed25519 is not None
        # RFC 8463 3: PureEdDSA over the SHA-256 of the data
        return self._ed25519.sign(sha256(data))


def sign_all(
    raw: bytes,
    signers: Sequence[Signer],
    now_s: int,
    body_hash: bytes | None = None,
    header: Canonical | None = None,
) -> bytes:
    """One DKIM-Signature field per signer, each with its CRLF, to stand before `raw`. `body_hash`:
    `body_hash_relaxed(raw)`, and `header`: `canonical(split(raw)[0])`, where the caller has them already."""
    counts, signed, _ = header if header is not None else canonical(split(raw)[0])
    digest = body_hash if body_hash is not None else body_hash_relaxed(raw)
    encoded = base64.b64encode(digest)
    return b"".join([signer._field(counts, signed, encoded, now_s) for signer in signers])


def generate(algorithm: str) -> tuple[bytes, str]:
    """A fresh key: (PKCS#8 DER, the text of its TXT record at <selector>._domainkey.<domain>)."""
    if algorithm == RSA:
        key = generate_private_key(public_exponent=65537, key_size=2048)
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        public = key.public_key().public_bytes(serialization.Encoding.DER, spki)
        return _private(key), f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    if algorithm == ED25519:
        pair = Ed25519PrivateKey.generate()
        return _private(
            pair
        ), f"v=DKIM1; k=ed25519; p={base64.b64encode(pair.public_key().public_bytes_raw()).decode()}"
    raise ValueError(f"DKIM keys are {RSA} or {ED25519}, not {algorithm}")


def _private(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
