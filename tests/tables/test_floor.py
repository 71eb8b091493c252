"""What a connection is worth to a recipient (DESIGN 3), as a table: the server's certificate and the promises of the
recipient's domain on the left, assurance and whether anything may be sent on the right."""

import hashlib
from datetime import timedelta
from typing import NamedTuple

import pytest

from carepost.delivery import dane
from carepost.delivery.floor import assess, met
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.mtasts import Mode, Policy, Sts
from carepost.delivery.resolver import Answer, Status, TlsaRecord
from carepost.delivery.tls import Handshake
from carepost.delivery.trust import Anchors
from carepost.policy.types import Assurance
from tests.support.mailhost import Ca, make

pytestmark = pytest.mark.fast

DOMAIN, HOST = "there.test", "mx.there.test"
CA = Ca()
ANCHORS = Anchors.pinned(CA.pem)
DAY = timedelta(days=1)

CERTIFICATES = {
    "good": CA.leaf(HOST),
    "expired": CA.leaf(HOST, start=-40 * DAY, life=30 * DAY),
    "self-signed": make(HOST, (HOST,)),
    "wrong-name": CA.leaf("mx.elsewhere.test"),
    "unknown-ca": Ca("Another").leaf(HOST),
    "domain": CA.leaf(DOMAIN),
    "both": CA.leaf(HOST, DOMAIN),
    "self-signed-domain": make(DOMAIN, (DOMAIN,)),
}

NONE, ENCRYPTED = Assurance.NONE, Assurance.ENCRYPTED
VERIFIED, AUTHENTICATED = Assurance.VERIFIED, Assurance.AUTHENTICATED


class Row(NamedTuple):
    #: key of CERTIFICATES, or "" for no TLS
    shows: str
    #: signed: MX from signed DNS; dane: 3 1 1 of the good key; dane-self: of the self-signed; usage1: 1 1 1 only;
    #: lookup-failed; enforce, testing, none: MTA-STS; enforce-other: for another host; pinned, with ca, key (the good
    #: one's), key-self, key-expired; tls-lost, mx-moved
    promises: str
    achieved: Assurance
    basis: str
    fault: str
    barred: bool = False


ROWS = [
    # no promise: the certificate's name is all there is
    Row("", "", NONE, "", "no-tls"),
    Row("good", "", VERIFIED, "unsigned-mx", ""),
    Row("good", "signed", AUTHENTICATED, "signed-mx", ""),
    Row("domain", "", AUTHENTICATED, "own-domain", ""),
    Row("both", "", AUTHENTICATED, "own-domain", ""),
    Row("self-signed-domain", "", ENCRYPTED, "", "self-signed"),
    Row("expired", "", ENCRYPTED, "", "expired"),
    Row("expired", "signed", ENCRYPTED, "", "expired"),
    Row("self-signed", "", ENCRYPTED, "", "self-signed"),
    Row("wrong-name", "", ENCRYPTED, "", "wrong-name"),
    Row("wrong-name", "signed", ENCRYPTED, "", "wrong-name"),
    Row("unknown-ca", "", ENCRYPTED, "", "unknown-issuer"),
    # weakened: a name from unsigned DNS is not believed for a day; what does not rest on it is
    Row("good", "tls-lost", ENCRYPTED, "", "tls-lost"),
    Row("good", "mx-moved", ENCRYPTED, "", "mx-moved"),
    Row("good", "mx-moved signed", AUTHENTICATED, "signed-mx", ""),
    Row("domain", "mx-moved", AUTHENTICATED, "own-domain", ""),
    Row("good", "mx-moved enforce", AUTHENTICATED, "mta-sts", ""),
    # DANE: the key is all that counts; a mismatch bars whatever else holds
    Row("good", "signed dane", AUTHENTICATED, "dane", ""),
    Row("self-signed", "signed dane-self", AUTHENTICATED, "dane", ""),
    Row("expired", "signed dane", ENCRYPTED, "", "dane-mismatch", barred=True),
    Row("self-signed", "signed dane", ENCRYPTED, "", "dane-mismatch", barred=True),
    Row("good", "signed dane-self", ENCRYPTED, "", "dane-mismatch", barred=True),
    Row("", "signed dane", NONE, "", "no-tls", barred=True),
    # only unusable records: TLS is mandatory and its peer unknown (BI-034)
    Row("good", "signed usage1", ENCRYPTED, "", "dane-unusable"),
    Row("self-signed", "signed usage1", ENCRYPTED, "", "dane-unusable"),
    Row("", "signed usage1", NONE, "", "no-tls", barred=True),
    # a look-up that failed is never the same as no record (BI-033)
    Row("good", "signed lookup-failed", ENCRYPTED, "", "tlsa-failure", barred=True),
    # MTA-STS in force: this MX host, and a certificate of this MX host
    Row("good", "enforce", AUTHENTICATED, "mta-sts", ""),
    Row("domain", "enforce", ENCRYPTED, "", "wrong-name", barred=True),
    Row("wrong-name", "enforce", ENCRYPTED, "", "wrong-name", barred=True),
    Row("expired", "enforce", ENCRYPTED, "", "expired", barred=True),
    Row("good", "enforce-other", ENCRYPTED, "", "mta-sts-mx", barred=True),
    Row("", "enforce", NONE, "", "no-tls", barred=True),
    # testing promises nothing and adds nothing
    Row("good", "testing", VERIFIED, "unsigned-mx", ""),
    Row("expired", "testing", ENCRYPTED, "", "expired"),
    Row("", "testing", NONE, "", "no-tls"),
    Row("good", "none", VERIFIED, "unsigned-mx", ""),
    # MTA-STS never makes up for a DANE failure, and DANE needs no authority (RFC 8461 2)
    Row("good", "signed dane-self enforce", ENCRYPTED, "", "dane-mismatch", barred=True),
    Row("self-signed", "signed dane-self enforce", AUTHENTICATED, "dane", ""),
    Row("self-signed", "signed dane-self enforce-other", ENCRYPTED, "", "mta-sts-mx", barred=True),
    # a pinned route: its name under its CA, or nothing
    Row("good", "pinned", AUTHENTICATED, "pinned", ""),
    Row("good", "pinned tls-lost", AUTHENTICATED, "pinned", ""),
    Row("wrong-name", "pinned", ENCRYPTED, "", "wrong-name", barred=True),
    Row("domain", "pinned", ENCRYPTED, "", "wrong-name", barred=True),
    Row("self-signed", "pinned", ENCRYPTED, "", "self-signed", barred=True),
    Row("", "pinned", NONE, "", "no-tls", barred=True),
    # a pinned key stands for itself: neither name, date nor authority counts (as in DANE-EE), and no other key will do
    Row("good", "pinned key", AUTHENTICATED, "pinned", ""),
    Row("self-signed", "pinned key-self", AUTHENTICATED, "pinned", ""),
    Row("expired", "pinned key-expired", AUTHENTICATED, "pinned", ""),
    Row("wrong-name", "pinned key", ENCRYPTED, "", "pin-mismatch", barred=True),
    Row("good", "pinned key-self", ENCRYPTED, "", "pin-mismatch", barred=True),
    Row("good", "pinned key-self key", AUTHENTICATED, "pinned", ""),
    Row("", "pinned key", NONE, "", "no-tls", barred=True),
    # a pinned key and a pinned authority: both
    Row("good", "pinned ca key", AUTHENTICATED, "pinned", ""),
    Row("good", "pinned ca key-self", ENCRYPTED, "", "pin-mismatch", barred=True),
    Row("self-signed", "pinned ca key-self", ENCRYPTED, "", "self-signed", barred=True),
    Row("expired", "pinned ca key-expired", ENCRYPTED, "", "expired", barred=True),
]  # fmt: skip


def _tlsa(promises: list[str]) -> dane.Tlsa:
    found = []
    for word, name in (("dane", "good"), ("dane-self", "self-signed")):
        if word in promises:
            found.append(TlsaRecord(3, 1, 1, hashlib.sha256(CERTIFICATES[name].spki).digest()))
    if "usage1" in promises:
        found.append(TlsaRecord(1, 1, 1, hashlib.sha256(CERTIFICATES["good"].spki).digest()))
    if "lookup-failed" in promises:
        return dane.read(Answer(Status.BOGUS))
    return dane.read(Answer(Status.OK, tuple(found), secure=True))


def _sts(promises: list[str]) -> Sts:
    for word, mode, host in (
        ("enforce", Mode.ENFORCE, HOST),
        ("enforce-other", Mode.ENFORCE, "mx.other.test"),
        ("testing", Mode.TESTING, "mx.other.test"),
        ("none", Mode.NONE, ""),
    ):
        if word in promises:
            return Sts(Policy(mode, (host,) if host else (), 86_400))
    return Sts()


def _pins(promises: list[str]) -> tuple[str, ...]:
    words = {"key": "good", "key-self": "self-signed", "key-expired": "expired"}
    keys = [CERTIFICATES[name].spki for word, name in words.items() if word in promises]
    return tuple(hashlib.sha256(key).hexdigest() for key in keys)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.shows or 'clear'}: {row.promises or 'no promise'}")
def test_a_connection_is_worth(row: Row) -> None:
    promises = row.promises.split()
    hop = Hop(HOST, ("127.0.0.1",), 25, tlsa=_tlsa(promises))
    hops = Hops(
        DOMAIN, (hop,), secure="signed" in promises, sts=_sts(promises), pinned="pinned" in promises,
        anchors=ANCHORS if "ca" in promises else None, pins=_pins(promises),
    )  # fmt: skip
    shown = CERTIFICATES.get(row.shows)
    shake = None
    if shown is not None:
        shake = Handshake("TLSv1.3", "TLS_AES_256_GCM_SHA384", ANCHORS.judge([shown.der]))
    weakened = next((word for word in promises if word in ("tls-lost", "mx-moved")), "")
    got = assess(shake, hop, hops, weakened)
    assert (got.achieved, got.basis, got.fault, got.barred) == (row.achieved, row.basis, row.fault, row.barred)
    # whatever is barred is barred at every floor
    assert not row.barred or not met(got, Assurance.NONE)


@pytest.mark.parametrize("floor", list(Assurance))
def test_enough_is_as_much_as_the_floor(floor: Assurance) -> None:
    hop = Hop(HOST, ("127.0.0.1",), 25)
    shake = Handshake("TLSv1.3", "x", ANCHORS.judge([CERTIFICATES["good"].der]))
    assert met(assess(shake, hop, Hops(DOMAIN, (hop,))), floor) is (floor <= Assurance.VERIFIED)


def test_clear_text_never_goes_where_tls_was_seen_once() -> None:
    hop = Hop(HOST, ("127.0.0.1",), 25)
    clear = assess(None, hop, Hops(DOMAIN, (hop,)))
    assert met(clear, Assurance.NONE)
    assert not met(clear, Assurance.NONE, tls_once=True)
