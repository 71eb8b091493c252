"""What a person is told when the other side changes, and what counts as weaker, as a table."""

from typing import NamedTuple

import pytest
from msgspec.structs import replace

from carepost.destinations import changes
from carepost.destinations.changes import between, ends_at
from carepost.policy.types import Assurance
from carepost.posture import Record, StoredPolicy
from tests.support.sides import AUTHENTICATED, DAY_US, NOON, VERIFIED, certificate, host, record

pytestmark = pytest.mark.fast

MX = "mx.lab.test"
BASE = record()
POLICY = StoredPolicy("1", b"version: STSv1\n", NOON, NOON + DAY_US)


class Row(NamedTuple):
    what: str
    before: Record | None
    after: Record
    #: kinds in order; those of `weaker` are an alert
    kinds: str
    weaker: str = ""


def side(**how: object) -> Record:
    return record("lab.test", host(**how))  # type: ignore[arg-type]


ROWS = [
    Row("never met before", None, BASE, "first"),
    Row("nothing new", BASE, replace(BASE, tls_at=NOON + DAY_US), ""),
    Row("STARTTLS is gone", BASE, replace(BASE, lost_at=NOON), "tls-lost", "tls-lost"),
    Row("still gone a minute later", replace(BASE, lost_at=NOON - 60), replace(BASE, lost_at=NOON), ""),
    Row("back for a day", replace(BASE, lost_at=NOON - DAY_US), BASE, "tls-back"),
    Row("a sibling joins", BASE, replace(BASE, hosts=(MX, "mx2.lab.test")), "mx"),
    Row("the MX moves, unsigned", BASE, replace(BASE, moved_at=NOON, moved_hosts=("mx.evil.test",)), "mx-moved",
        "mx-moved"),
    Row("MTA-STS is turned on", BASE, replace(BASE, mta_sts="enforce"), "mta-sts"),
    Row("MTA-STS goes from enforce to testing", replace(BASE, mta_sts="enforce"), replace(BASE, mta_sts="testing"),
        "mta-sts", "mta-sts"),
    Row("MTA-STS cannot be found out just now", replace(BASE, mta_sts="enforce"), replace(BASE, mta_sts="unknown"), ""),
    Row("the policy has a new id", replace(BASE, policy=POLICY), replace(BASE, policy=replace(POLICY, id="2")),
        "policy"),
    Row("the policy is fetched again", replace(BASE, policy=POLICY), replace(BASE, policy=replace(POLICY, fetched=9)),
        ""),
    Row("DANE begins", BASE, replace(BASE, dane="yes"), "dane"),
    Row("DANE ends", replace(BASE, dane="yes"), BASE, "dane", "dane"),
    Row("the TLSA set is rolled", side(tlsa=("030101aa",)), side(tlsa=("030101aa", "030101bb")), "tlsa"),
    Row("the TLSA set is gone", side(tlsa=("030101aa",)), side(), "tlsa", "tlsa"),
    Row("a renewed certificate, same key", side(certificate=certificate(1, key=7)),
        side(certificate=certificate(2, key=7)), "certificate"),
    Row("a renewed certificate, new key", BASE, side(certificate=certificate(2)), "key"),
    Row("the certificate expired", BASE, side(assurance=Assurance.ENCRYPTED, fault="expired", basis=""), "assurance",
        "assurance"),
    Row("it is renewed", side(assurance=Assurance.ENCRYPTED, fault="expired", basis=""), BASE, "assurance"),
    Row("from DANE to a name only", side(assurance=AUTHENTICATED, basis="dane"), BASE, "assurance", "assurance"),
    Row("TLS 1.3 to 1.2", BASE, side(tls="TLSv1.2"), "tls", "tls"),
    Row("TLS 1.2 to 1.3", side(tls="TLSv1.2"), BASE, "tls"),
    Row("another fault, as bad", side(assurance=Assurance.ENCRYPTED, fault="expired"),
        side(assurance=Assurance.ENCRYPTED, fault="wrong-name"), "assurance"),
    Row("a second host is met", BASE, record("lab.test", host(), host("mx2.lab.test")), "mx host"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_changed(row: Row) -> None:
    found = between(row.before, row.after, NOON)
    assert " ".join(one.kind for one in found) == row.kinds
    assert " ".join(one.kind for one in found if one.weaker) == row.weaker
    assert all(one.kind in changes.KINDS for one in found)


@pytest.mark.parametrize(
    ("what", "found", "days"),
    [
        ("the first to end counts", record("lab.test", host(), host("b.test", certificate=certificate(2, ends=9))), 9),
        ("DANE asks no date", side(basis="dane", assurance=AUTHENTICATED), 0),
        ("what proves nothing has nothing to lose", side(assurance=Assurance.ENCRYPTED), 0),
        ("a host without TLS", side(certificate=None, assurance=Assurance.NONE, tls="none"), 0),
        ("a pinned host counts", record("lab.test", host(pinned=True, basis="pinned", assurance=VERIFIED)),
         NOON + 90 * DAY_US),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_when_the_first_certificate_ends(what: str, found: Record, days: int) -> None:
    assert ends_at(found) == days
