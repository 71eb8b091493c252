"""EnvelopedData and AuthEnvelopedData as anyone can read them, without a key (RFC 5652 6, RFC 5083)."""

import msgspec

from carepost.crypto.smime import der, oids
from carepost.crypto.smime.errors import Malformed

#: recipients of one message that are looked at
MAX_RECIPIENTS = 2_000


class Transport(msgspec.Struct, frozen=True):
    who: bytes
    algorithm: bytes
    parameters: bytes
    sealed: bytes


class Agreed(msgspec.Struct, frozen=True):
    who: bytes
    #: the originator's public key, as its BIT STRING holds it
    point: bytes
    ukm: bytes | None
    scheme: bytes
    wrap: bytes
    sealed: bytes


class Envelope(msgspec.Struct, frozen=True):
    """What anyone can read of it. `tag`: b"" where there is none; `associated`: its authenticated attributes."""

    authenticated: bool
    infos: tuple[Transport | Agreed, ...]
    cipher: bytes
    parameters: bytes
    sealed: bytes
    associated: bytes
    tag: bytes


def read(raw: bytes) -> Envelope:
    """Raises Malformed, Unsupported."""
    return der.parse(raw, _content_info)


def _content_info(cursor: der.Cursor) -> Envelope:
    whole = cursor.enter(der.SEQUENCE)
    kind = whole.oid()
    if kind not in (oids.ENVELOPED_DATA, oids.AUTH_ENVELOPED_DATA):
        raise Malformed("not an encrypted structure")
    explicit = whole.enter(0xA0)
    data = explicit.enter(der.SEQUENCE)
    data.integer()
    data.optional(0xA0)
    infos = _infos(data.enter(der.SET))
    info = data.enter(der.SEQUENCE)
    info.oid()
    cipher, parameters = info.algorithm()
    sealed = info.octets(0x80) if info.more() else b""
    info.close()
    associated = tag = b""
    authenticated = kind == oids.AUTH_ENVELOPED_DATA
    if authenticated:
        if data.peek() == 0xA1:
            # authenticated as a SET OF (RFC 5083 2.2)
            associated = b"\x31" + data.whole()[1:]
        tag = data.octets()
        data.optional(0xA2)
    else:
        data.optional(0xA1)
    data.close()
    explicit.close()
    whole.close()
    return Envelope(authenticated, infos, cipher, parameters, sealed, associated, tag)


def _infos(cursor: der.Cursor) -> tuple[Transport | Agreed, ...]:
    found: list[Transport | Agreed] = []
    seen = 0
    while cursor.more():
        seen += 1
        if seen > MAX_RECIPIENTS or len(found) > MAX_RECIPIENTS:
            raise Malformed("too many recipients")
        tag = cursor.peek()
        if tag == der.SEQUENCE:
            found.append(_transport(cursor.enter(tag)))
        elif tag == 0xA1:
            found.extend(_agreed(cursor.enter(tag)))
        else:
            # passwords and shared keys: not for us
            cursor.whole()
    return tuple(found)


def _who(cursor: der.Cursor) -> bytes:
    """A subject key identifier, or issuer and serial number: told apart by what they are."""
    if cursor.peek() in (0x80, 0xA0):
        return cursor.octets(0x80)
    return cursor.whole(der.SEQUENCE)


def _transport(cursor: der.Cursor) -> Transport:
    cursor.integer()
    who = _who(cursor)
    algorithm, parameters = cursor.algorithm()
    found = Transport(who, algorithm, parameters, cursor.octets())
    cursor.close()
    return found


def _agreed(cursor: der.Cursor) -> list[Agreed]:
    cursor.integer()
    originator = cursor.enter(0xA0)
    if originator.peek() != 0xA1:
        # a static key of the sender, named by a certificate: nobody writes that
        return []
    public = originator.enter(0xA1)
    public.algorithm()
    point = public.value(der.BITS)[1:]
    explicit = cursor.optional(0xA1)
    ukm = None if explicit is None else explicit.octets()
    algorithm = cursor.enter(der.SEQUENCE)
    scheme, wrap = algorithm.oid(), algorithm.rest()
    keys = cursor.enter(der.SEQUENCE)
    found: list[Agreed] = []
    while keys.more() and len(found) <= MAX_RECIPIENTS:
        one = keys.enter(der.SEQUENCE)
        if one.peek() == 0xA0:
            # RecipientKeyIdentifier; a date may follow
            who = one.enter(0xA0).octets()
        else:
            who = one.whole(der.SEQUENCE)
        found.append(Agreed(who, point, ukm, scheme, wrap, one.octets()))
    return found
