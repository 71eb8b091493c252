"""TLSA records: which can be used, and which chain fits them (RFC 7672)."""

import hashlib
from datetime import timedelta

import pytest

from carepost.delivery import dane
from carepost.delivery.dane import State
from carepost.delivery.resolver import Answer, Status, TlsaRecord
from tests.support.mailhost import Ca, Pair, make

pytestmark = pytest.mark.fast

HOST = "mx.there.test"
NAMES = (HOST, "there.test")
CA = Ca()
LEAF = CA.leaf(HOST)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def usable(*records: TlsaRecord, secure: bool = True) -> dane.Tlsa:
    return dane.read(Answer(Status.OK, records, secure=secure))


def chain(*pairs: Pair) -> list[bytes]:
    return [pair.der for pair in pairs]


@pytest.mark.parametrize(
    ("selector", "matching", "data"),
    [
        (1, 1, sha256(LEAF.spki)),
        (1, 2, hashlib.sha512(LEAF.spki).digest()),
        (1, 0, LEAF.spki),
        (0, 1, sha256(LEAF.der)),
        (0, 0, LEAF.der),
    ],
    ids=["spki-sha256", "spki-sha512", "spki-full", "certificate-sha256", "certificate-full"],
)
def test_dane_ee_fits_the_leaf_in_every_form(selector: int, matching: int, data: bytes) -> None:
    record = TlsaRecord(3, selector, matching, data)
    assert dane.match(usable(record), chain(LEAF), NAMES) == record
    assert dane.match(usable(record), chain(CA.leaf(HOST)), NAMES) is None


def test_dane_ee_ignores_names_and_dates() -> None:
    """RFC 7672 3.1.1."""
    old = make("nobody", ("elsewhere.test",), start=timedelta(days=-40), life=timedelta(days=3))
    assert dane.match(usable(TlsaRecord(3, 1, 1, sha256(old.spki))), chain(old), NAMES)


@pytest.mark.parametrize("selector", [0, 1])
def test_dane_ta_fits_an_authority_in_the_chain_and_checks_the_name(selector: int) -> None:
    """2 0 1 and 2 1 1."""
    data = CA.pair.der if selector == 0 else CA.pair.spki
    record = TlsaRecord(2, selector, 1, sha256(data))
    assert dane.match(usable(record), chain(LEAF, CA.pair), NAMES) == record
    assert dane.match(usable(record), chain(CA.leaf("elsewhere.test"), CA.pair), NAMES) is None
    assert dane.match(usable(record), chain(CA.leaf("there.test"), CA.pair), NAMES) == record


def test_dane_ta_checks_dates_and_signatures() -> None:
    record = TlsaRecord(2, 0, 1, sha256(CA.pair.der))
    expired = CA.leaf(HOST, start=timedelta(days=-40), life=timedelta(days=3))
    assert dane.match(usable(record), chain(expired, CA.pair), NAMES) is None
    # a leaf of another authority beside the right authority's certificate
    assert dane.match(usable(record), chain(Ca("Another").leaf(HOST), CA.pair), NAMES) is None
    assert dane.match(usable(record), chain(make(HOST, (HOST,)), CA.pair), NAMES) is None


def test_dane_ta_may_be_an_intermediate_or_stand_in_the_record_alone() -> None:
    between = Ca("Intermediate", parent=CA)
    leaf = between.leaf(HOST)
    pinned = TlsaRecord(2, 0, 1, sha256(between.pair.der))
    assert dane.match(usable(pinned), chain(leaf, between.pair), NAMES) == pinned
    whole = TlsaRecord(2, 0, 0, CA.pair.der)
    assert dane.match(usable(whole), chain(LEAF), NAMES) == whole


def test_the_leaf_itself_is_no_authority() -> None:
    own = make(HOST, (HOST,))
    assert dane.match(usable(TlsaRecord(2, 0, 1, sha256(own.der))), chain(own), NAMES) is None


@pytest.mark.parametrize(
    "record",
    [
        TlsaRecord(0, 0, 1, bytes(32)),
        TlsaRecord(1, 1, 1, sha256(LEAF.spki)),
        TlsaRecord(3, 2, 1, bytes(32)),
        TlsaRecord(3, 1, 3, bytes(32)),
        TlsaRecord(3, 1, 1, bytes(31)),
        TlsaRecord(3, 1, 2, bytes(32)),
        TlsaRecord(3, 1, 0, b""),
        TlsaRecord(255, 1, 1, bytes(32)),
    ],
)
def test_a_record_that_cannot_be_used_leaves_tls_mandatory_and_the_peer_unknown(record: TlsaRecord) -> None:
    """BI-034."""
    found = usable(record)
    assert found.state is State.UNUSABLE
    assert dane.match(found, chain(LEAF), NAMES) is None


def test_one_usable_record_among_others_counts() -> None:
    good = TlsaRecord(3, 1, 1, sha256(LEAF.spki))
    assert dane.match(usable(TlsaRecord(1, 1, 1, bytes(32)), good), chain(LEAF), NAMES) == good


def test_the_stronger_digest_counts() -> None:
    """RFC 7671 9: a forged SHA-256 beside a published SHA-512 is not looked at."""
    weak = TlsaRecord(3, 1, 1, sha256(LEAF.spki))
    strong = TlsaRecord(3, 1, 2, bytes(64))
    assert dane.match(usable(weak, strong), chain(LEAF), NAMES) is None


@pytest.mark.parametrize("status", [Status.SERVFAIL, Status.BOGUS, Status.TIMEOUT])
def test_a_failed_look_up_is_not_an_absent_record(status: Status) -> None:
    """BI-033."""
    assert dane.read(Answer(status)).state is State.FAILED


def test_an_answer_nobody_vouches_for_says_nothing() -> None:
    assert usable(TlsaRecord(3, 1, 1, bytes(32)), secure=False).state is State.NONE
    assert dane.read(Answer(Status.NXDOMAIN, secure=True)).state is State.NONE
    assert dane.read(Answer(Status.NODATA, secure=True)).state is State.NONE


def test_a_chain_that_cannot_be_read_fits_nothing() -> None:
    record = TlsaRecord(3, 1, 1, sha256(LEAF.spki))
    assert dane.match(usable(record), [b"\x30\x00"], NAMES) is None
    assert dane.match(usable(record), [], NAMES) is None
