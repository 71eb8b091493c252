"""Under which policy a session is counted, and as which result type of RFC 8460 4.3, as a table."""

from typing import NamedTuple

import pytest

from carepost.delivery import dane
from carepost.delivery.carried import Met
from carepost.delivery.floor import Assessed
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.mtasts import Mode, Policy, Sts
from carepost.delivery.resolver import TlsaRecord
from carepost.delivery.sessions import judged
from carepost.policy.types import Assurance

pytestmark = pytest.mark.fast

DOMAIN, HOST = "there.test", "mx.there.test"
TEXT = b"version: STSv1\r\nmode: enforce\r\nmx: mx.there.test\r\nmax_age: 86400\r\n"
STS = Sts(Policy(Mode.ENFORCE, (HOST,), 86_400, TEXT))
TLSA = dane.Tlsa(dane.State.USABLE, (TlsaRecord(3, 1, 1, b"\xab" * 32),))


class Row(NamedTuple):
    what: str
    #: as delivery.floor.Assessed.fault, or an error of the handshake
    fault: str
    #: sts | dane | pinned | "" and sts-…: the fault of the policy's fetch
    promises: str
    #: (policy type, result type; "" is a session in order), in order
    counted: tuple[tuple[str, str], ...]


NONE = "no-policy-found"
ROWS = [
    Row("in order, no policy", "", "", ((NONE, ""),)),
    Row("no STARTTLS", "no-tls", "", ((NONE, "starttls-not-supported"),)),
    Row("STARTTLS refused", "starttls-refused", "", ((NONE, "starttls-not-supported"),)),
    Row("another host's certificate", "wrong-name", "", ((NONE, "certificate-host-mismatch"),)),
    Row("expired", "expired", "", ((NONE, "certificate-expired"),)),
    Row("self-signed", "self-signed", "", ((NONE, "certificate-not-trusted"),)),
    Row("unknown authority", "unknown-issuer", "", ((NONE, "certificate-not-trusted"),)),
    Row("revoked", "revoked", "", ((NONE, "certificate-not-trusted"),)),
    Row("TLS 1.1 at most", "tls-failed", "", ((NONE, "validation-failure"),)),
    Row("the handshake hangs", "tls-timeout", "", ((NONE, "validation-failure"),)),
    Row("our caution: its MX has just moved", "mx-moved", "", ((NONE, ""),)),
    Row("our caution: it lost TLS yesterday", "tls-lost", "", ((NONE, ""),)),
    Row("in order under MTA-STS", "", "sts", (("sts", ""),)),
    Row("expired under MTA-STS", "expired", "sts", (("sts", "certificate-expired"),)),
    Row("not in the MTA-STS policy", "mta-sts-mx", "sts", (("sts", "validation-failure"),)),
    Row("no STARTTLS under MTA-STS (BI-011)", "no-tls", "sts", (("sts", "starttls-not-supported"),)),
    Row("in order by DANE", "", "dane", (("tlsa", ""),)),
    Row("DANE, and MTA-STS besides", "", "dane sts", (("tlsa", ""),)),
    Row("another key than DANE's", "dane-mismatch", "dane", (("tlsa", "tlsa-invalid"),)),
    Row("only unusable TLSA (BI-034)", "dane-unusable", "dane", (("tlsa", "tlsa-invalid"),)),
    Row("the TLSA answer is bogus (BI-033)", "tlsa-failure", "dane", (("tlsa", "dnssec-invalid"),)),
    Row("the policy could not be had", "", "sts-policy-fetch-error", ((NONE, ""), ("sts", "sts-policy-fetch-error"))),
    Row("the policy is no policy", "", "sts-policy-invalid", ((NONE, ""), ("sts", "sts-policy-invalid"))),
    Row("the policy host's certificate", "", "sts-webpki-invalid", ((NONE, ""), ("sts", "sts-webpki-invalid"))),
    Row("the old policy holds while the new fails", "", "sts sts-policy-fetch-error",
        (("sts", ""), ("sts", "sts-policy-fetch-error"))),
    Row("a pinned next hop is in nobody's report", "pin-mismatch", "pinned dane sts",
        (("pinned", "validation-failure"),)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_session_is_counted(row: Row) -> None:
    promises = row.promises.split()
    hop = Hop(HOST, ("192.0.2.1",), 25, tlsa=TLSA if "dane" in promises else dane.Tlsa())
    failed = next((word for word in promises if word.startswith("sts-")), "")
    sts = Sts(STS.policy if "sts" in promises else None, not failed, failed)
    hops = Hops(DOMAIN, (hop,), sts=sts, pinned="pinned" in promises)
    met = Met(hop, "192.0.2.1", None, Assessed(Assurance.ENCRYPTED, fault=row.fault))
    found = judged(hops, met)
    assert tuple((policy.type, failure.result if failure else "") for policy, failure in found) == row.counted
    if row.fault and found[0][1] is not None:
        failure = found[0][1]
        assert (failure.host, failure.address, failure.reason) == (HOST, "192.0.2.1", row.fault)


def test_a_policy_is_named_as_it_was_published() -> None:
    """RFC 8460 4.4: policy-string, policy-domain and mx-host."""
    hop = Hop(HOST, ("192.0.2.1",), 25)
    ((policy, _),) = judged(Hops(DOMAIN, (hop,), sts=STS), Met(hop, "", None, Assessed(Assurance.VERIFIED)))
    assert policy.text == ("version: STSv1", "mode: enforce", "mx: mx.there.test", "max_age: 86400")
    assert (policy.domain, policy.mx) == (DOMAIN, (HOST,))
    dane_hop = Hop(HOST, ("192.0.2.1",), 25, tlsa=TLSA)
    ((policy, _),) = judged(Hops(DOMAIN, (dane_hop,)), Met(dane_hop, "", None, Assessed(Assurance.AUTHENTICATED)))
    assert (policy.domain, policy.text) == (HOST, ("3 1 1 " + "ab" * 32,))
