"""DANE for SMTP (RFC 7672): which TLSA records can be used, and whether a chain fits them.

Only usages 2 (DANE-TA) and 3 (DANE-EE). Records that are all unusable still make TLS mandatory, and nothing more: the
peer is then unknown. A look-up that failed is never the same as no record.
"""

import datetime
import enum
import hashlib
import warnings
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import Store

from carepost.delivery import trust
from carepost.delivery.resolver import Answer, TlsaRecord
from carepost.ground import clock

TA, EE = 2, 3
_DIGESTS = {1: ("sha256", 32), 2: ("sha512", 64)}
#: RFC 7671 9, digest agility: the strongest digest of a usage and selector counts; full data always does
_STRENGTH = {0: 3, 2: 2, 1: 1}


class State(enum.StrEnum):
    #: no record, or an answer nobody vouches for: DANE says nothing
    NONE = "none"
    USABLE = "usable"
    #: TLS is mandatory and its peer unknown
    UNUSABLE = "unusable"
    #: look-up failed or bogus: this host must not be used now
    FAILED = "failed"


class Tlsa(msgspec.Struct, frozen=True):
    state: State = State.NONE
    records: tuple[TlsaRecord, ...] = ()


def rdata(record: TlsaRecord) -> bytes:
    """As in DNS (RFC 6698 2.1)."""
    return bytes((record.usage, record.selector, record.matching)) + record.data


def read(answer: Answer[TlsaRecord]) -> Tlsa:
    """What the answer at `_25._tcp.<host>` means. Asked only where MX and address answers were secure."""
    if answer.unknown:
        return Tlsa(State.FAILED)
    if not answer.secure or not answer.records:
        return Tlsa()
    usable = [record for record in answer.records if _usable(record)]
    if not usable:
        return Tlsa(State.UNUSABLE, answer.records)
    best: dict[tuple[int, int], int] = {}
    for record in usable:
        if record.matching:
            key = (record.usage, record.selector)
            best[key] = max(best.get(key, 0), _STRENGTH[record.matching])
    kept = [
        record
        for record in usable
        if not record.matching or _STRENGTH[record.matching] == best[record.usage, record.selector]
    ]
    return Tlsa(State.USABLE, tuple(kept))


def _usable(record: TlsaRecord) -> bool:
    if record.usage not in (TA, EE) or record.selector not in (0, 1):
        return False
    if record.matching == 0:
        return bool(record.data)
    return record.matching in _DIGESTS and len(record.data) == _DIGESTS[record.matching][1]


def match(tlsa: Tlsa, der: Sequence[bytes], names: Sequence[str]) -> TlsaRecord | None:
    """The record that vouches for this chain (leaf first), or None.

    `names`: the TLSA base domain, then the next-hop domain and its alias (RFC 7672 3.2.2, 3.2.3); only DANE-TA looks
    at them. DANE-EE ignores names and dates (RFC 7672 3.1.1).
    """
    if tlsa.state is not State.USABLE or not der:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chain = [x509.load_der_x509_certificate(one) for one in der[: trust.CHAIN]]
            for record in tlsa.records:
                if record.usage == EE and _fits(record, chain[0]):
                    return record
            for record in tlsa.records:
                if record.usage == TA and _vouched(record, chain, names):
                    return record
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None
    return None


def _vouched(record: TlsaRecord, chain: Sequence[x509.Certificate], names: Sequence[str]) -> bool:
    anchors = [certificate for certificate in chain[1:] if _fits(record, certificate)]
    if record.selector == 0 and record.matching == 0:
        # The anchor itself may stand in the record and be left out of the handshake.
        anchors.append(x509.load_der_x509_certificate(record.data))
    if not anchors:
        return False
    now = datetime.datetime.fromtimestamp(clock.now() // 1_000_000, datetime.UTC)
    if trust.verify(chain, Store(anchors), now) is None:
        return False
    shown = trust.leaf_names(chain[0])
    return any(trust.matches(name, shown) for name in names)


def _fits(record: TlsaRecord, certificate: x509.Certificate) -> bool:
    if record.selector == 0:
        data = certificate.public_bytes(Encoding.DER)
    else:
        data = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if record.matching == 0:
        return data == record.data
    return hashlib.new(_DIGESTS[record.matching][0], data).digest() == record.data
