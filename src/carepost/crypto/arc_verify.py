"""ARC (RFC 8617 5.2): whether the chain of those who handed a message on holds. For the record alone: nobody's seal is
trusted here, and no result of it lets anything pass that would not pass without (the RFC is on its way to Historic).

At most 50 sets; each field once and whole, or the chain fails."""

import re
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from carepost.crypto import dkim_verify
from carepost.crypto.dkim import ED25519, RSA
from carepost.crypto.dkim_verify import EMAIL, EMPTIED, Parsed, canonical, checker, fetch
from carepost.rfc import dkimtags
from carepost.rfc.asking import Course
from carepost.rfc.dkimtags import DkimError, Key

#: sets of one message (RFC 8617 4.2.1)
MOST: Final = 50
_NAMES: Final = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
_INSTANCE: Final = re.compile(r"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,3})[ \t\r\n]*;")
_LEAST, _LARGEST = 1024, 8192


class Chain(msgspec.Struct, frozen=True):
    """`cv`: none | pass | fail | temperror. `reason`: a word, "" where it holds or there is none. `sealer`: domain of
    the newest seal; `instances`: how many sets there are."""

    cv: str = "none"
    reason: str = ""
    sealer: str = ""
    instances: int = 0


class _Late(Exception):
    """A key could not be asked for."""


class _Broken(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Seal(msgspec.Struct, frozen=True):
    domain: str
    selector: str
    algorithm: str
    signature: bytes
    cv: str


def verify(raw: bytes) -> Course[Chain]:
    """`raw`: CRLF line ends."""
    head = b"\n" + raw[: raw.find(b"\r\n\r\n") + 1].lower()
    if not any(b"\n" + name in head for name in _NAMES):
        return Chain()
    message = Parsed(raw)
    sets: dict[int, list[int]] = {}
    try:
        sets = _sets(message)
        seals = {i: _seal(_value(message, places[2])) for i, places in sets.items()}
        for i, seal in seals.items():
            if seal.cv != ("none" if i == 1 else "pass"):
                raise _Broken("cv-fail" if seal.cv == "fail" else "cv")
        yield from _message_signature(message, sets[len(sets)][1])
        for i in sorted(seals, reverse=True):
            yield from _sealed(message, sets, i, seals[i])
    except _Broken as error:
        return Chain("fail", error.reason, instances=len(sets))
    except _Late:
        return Chain("temperror", "key-unreachable", instances=len(sets))
    except DkimError as error:
        return Chain("fail", error.code, instances=len(sets))
    return Chain("pass", "", seals[len(seals)].domain, len(sets))


def _sets(message: Parsed) -> dict[int, list[int]]:
    """Instance -> where its three fields stand. Raises _Broken."""
    found: dict[int, list[int]] = {}
    for at, (name, _, _) in enumerate(message.fields):
        if name not in _NAMES:
            continue
        match = _INSTANCE.match(_value(message, at)) or re.search(r";" + _INSTANCE.pattern, _value(message, at) + ";")
        instance = int(match[1]) if match else 0
        if not 1 <= instance <= MOST:
            raise _Broken("instance")
        places = found.setdefault(instance, [-1, -1, -1])
        if places[_NAMES.index(name)] >= 0:
            raise _Broken("twice")
        places[_NAMES.index(name)] = at
    if sorted(found) != list(range(1, len(found) + 1)) or any(-1 in places for places in found.values()):
        raise _Broken("gap")
    return found


def _value(message: Parsed, at: int) -> str:
    _, field, value = message.fields[at]
    return field[value:].decode("utf-8", "replace")


def _seal(text: str) -> _Seal:
    """Raises DkimError, _Broken."""
    given = dkimtags.tags(text)
    if "h" in given or any(not given.get(name) for name in ("a", "b", "d", "s", "i", "cv")):
        raise _Broken("seal-syntax")
    # the DKIM reader knows the forms of domain, selector and base64
    like = {**{name: given[name] for name in ("a", "b", "d", "s")}, "v": "1", "h": "from", "bh": given["b"]}
    read = dkimtags.signature("; ".join(f"{name}={value}" for name, value in like.items()))
    return _Seal(read.domain, read.selector, read.algorithm, read.signature, given["cv"].lower())


def _message_signature(message: Parsed, at: int) -> Course[None]:
    """The newest one alone: older ones may have been broken rightly. Raises _Broken, DkimError, _Late."""
    given = dkimtags.tags(_value(message, at))
    given.pop("i", None)
    given["v"] = "1"
    signature = dkimtags.signature("; ".join(f"{name}={value}" for name, value in given.items()))
    if "arc-seal" in signature.names:
        raise _Broken("signature-syntax")
    check = yield from _check(signature.domain, signature.selector, signature.algorithm)
    if signature.length or message.body_hash(signature.canonical[1]) != signature.body_hash:
        raise _Broken("body-changed")
    try:
        check(signature.signature, message.signed(signature, at))
    except InvalidSignature:
        raise _Broken("header-changed") from None


def _sealed(message: Parsed, sets: dict[int, list[int]], instance: int, seal: _Seal) -> Course[None]:
    check = yield from _check(seal.domain, seal.selector, seal.algorithm)
    parts = [canonical("relaxed", message.fields[at]) for i in range(1, instance) for at in sets[i]]
    parts += [canonical("relaxed", message.fields[at]) for at in sets[instance][:2]]
    name, field, value = message.fields[sets[instance][2]]
    emptied = field[:value] + EMPTIED.sub(rb"\1", field[value:].removesuffix(b"\r\n"), count=1) + b"\r\n"
    parts.append(canonical("relaxed", (name, emptied, value)).removesuffix(b"\r\n"))
    try:
        check(seal.signature, b"".join(parts))
    except InvalidSignature:
        raise _Broken("seal-invalid") from None


def _check(domain: str, selector: str, algorithm: str) -> Course[dkim_verify.Check]:
    if algorithm not in (RSA, ED25519):
        raise _Broken("algorithm")
    key, result, reason = yield from fetch(selector, domain)
    if key is None:
        if result == "temperror":
            raise _Late
        raise _Broken(reason)
    return _fit(key, algorithm)


def _fit(key: Key, algorithm: str) -> dkim_verify.Check:
    kind, _, hash_ = algorithm.partition("-")
    if key.kind != kind or (key.hashes and hash_ not in key.hashes) or EMAIL.isdisjoint(key.services):
        raise _Broken("key-unfit")
    try:
        check, bits = checker(key)
    except (ValueError, UnsupportedAlgorithm):
        raise _Broken("key-syntax") from None
    if bits and not _LEAST <= bits <= _LARGEST:
        raise _Broken("key-short" if bits < _LEAST else "key-long")
    return check
