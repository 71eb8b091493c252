"""What strangers publish at _smtp._tls and do to our counting (RFC 8460 3; BI-032's kind: bounded)."""

import asyncio
import gzip
from pathlib import Path

import msgspec
import pytest

from carepost.delivery import tlsrpt
from carepost.delivery.resolver import Answer, Status
from carepost.delivery.tlsrpt import Wanted, wanted
from carepost.ground.keys import PurposeKeys
from carepost.posture import Posture, Reader
from carepost.posture.tallies import DAY_US, FAILURES, POLICIES
from carepost.posture.types import Count, Day, Failure, Policy
from carepost.rfc import tlsreport
from carepost.rfc.address import Mailbox

ORG = b"willow-clinic-00"
MAIL = "tls@there.test"


@pytest.mark.fast
@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([b"v=TLSRPTv1; rua=mailto:tls@there.test"], Wanted((MAIL,))),
        ([b"v=TLSRPTv1;rua=mailto:tls@there.test,https://r.b.test/v1"], Wanted((MAIL,), (("r.b.test", "/v1"),))),
        ([b"v=TLSRPTv1; rua=https://r.there.test"], Wanted(https=(("r.there.test", "/"),))),
        ([b"other=1", b"v=TLSRPTv1; foo=bar; rua = mailto:tls@there.test ;"], Wanted((MAIL,))),
        ([b"v=TLSRPTv1; rua=mailto:tls@there.test", b"v=TLSRPTv1; rua=mailto:b@there.test"], Wanted()),
        ([b"v=TLSRPTv11; rua=mailto:tls@there.test"], Wanted()),
        ([b"v=TLSRPTv1"], Wanted()),
        ([b"v=TLSRPTv1; rua="], Wanted()),
        ([], Wanted()),
        ([b"v=TLSRPTv1; rua=http://r.there.test/"], Wanted()),
        ([b"v=TLSRPTv1; rua=https://127.0.0.1:8080/"], Wanted()),
        ([b"v=TLSRPTv1; rua=https://user@there.test/"], Wanted()),
        ([b"v=TLSRPTv1; rua=https://r.there.test/a b"], Wanted()),
        ([b"v=TLSRPTv1; rua=mailto:tls@there.test?subject=x"], Wanted()),
        ([b"v=TLSRPTv1; rua=mailto:a%0d%0aBcc:x@there.test"], Wanted()),
        ([b"v=TLSRPTv1; rua=mailto:tls@there.test\r\nRCPT TO:<x@y.test>"], Wanted()),
        ([b"v=TLSRPTv1; rua=mailto:tls@localhost"], Wanted()),
        ([b"v=TLSRPTv1; rua=" + b",".join(b"mailto:a-%d@b.test" % n for n in range(90))],
         Wanted(tuple(f"a-{n}@b.test" for n in range(4)))),
        ([b"v=TLSRPTv1; rua=mailto:" + b"a" * 3000 + b"@there.test"], Wanted()),
        (["v=TLSRPTv1; rua=mailto:ä@there.test".encode()], Wanted()),
    ],
)  # fmt: skip
def test_the_record_is_read_strictly_and_bounded(records: list[bytes], found: Wanted) -> None:
    assert wanted(Answer(Status.OK, tuple(records))) == found


@pytest.mark.fast
def test_the_document_is_what_the_rfc_says_and_our_own_reader_reads_it() -> None:
    """RFC 8460 4.4: names and types; a pinned hop is in nobody's report; the same day makes the same bytes."""
    counts = (
        Count(Policy("sts", "there.test", ("version: STSv1", "mode: enforce"), ("mx.there.test",)), 7,
              [(Failure("certificate-expired", "mx.there.test", "192.0.2.9", "expired"), 2)]),
        Count(Policy("no-policy-found", "there.test"), 3, []),
        Count(Policy("pinned", "there.test"), 9, []),
    )  # fmt: skip
    day = Day(ORG, "there.test", 20_778, counts)
    made = tlsrpt.report(day, organisation="Willow", contact="notice@willow.test", submitter="mail.willow.test")
    assert made is not None
    again = tlsrpt.report(day, organisation="Willow", contact="notice@willow.test", submitter="mail.willow.test")
    assert again == made
    assert made.file.startswith("mail.willow.test!there.test!1795219200!1795305599!") and made.file.endswith(".json.gz")
    told = msgspec.json.decode(gzip.decompress(made.data))
    assert told["date-range"] == {"start-datetime": "2026-11-21T00:00:00Z", "end-datetime": "2026-11-21T23:59:59Z"}
    sts, none = told["policies"]
    assert sts["policy"] == {
        "policy-type": "sts", "policy-string": ["version: STSv1", "mode: enforce"], "policy-domain": "there.test",
        "mx-host": ["mx.there.test"],
    }  # fmt: skip
    assert sts["summary"] == {"total-successful-session-count": 7, "total-failure-session-count": 2}
    assert sts["failure-details"] == [
        {"result-type": "certificate-expired", "receiving-ip": "192.0.2.9", "receiving-mx-hostname": "mx.there.test",
         "failed-session-count": 2, "failure-reason-code": "expired"}
    ]  # fmt: skip
    assert none["policy"]["policy-type"] == "no-policy-found" and "failure-details" not in none
    (read,) = tlsreport.read(gzip.decompress(made.data))
    assert (read.domain, read.good, read.bad) == ("there.test", 10, 2)
    raw = tlsrpt.mail(made, from_=Mailbox("Willow", "notice@willow.test"), to=(MAIL,), message_id="<1@w.test>", at=0)
    assert b'report-type="tlsrpt"' in raw and b"\r\nTLS-Required: No\r\n" in raw
    assert max(map(len, raw.split(b"\r\n"))) < 998 and b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.fast
def test_a_name_that_is_no_domain_gets_no_report() -> None:
    counts = (Count(Policy("no-policy-found", "x"), 1, []),)
    for name in ("there.test\r\nBcc: x@y.test", "localhost", "", "a" * 300 + ".test", "ä.test"):
        assert tlsrpt.report(Day(ORG, name, 1, counts), organisation="W", contact="c", submitter="s") is None


async def test_what_a_hostile_domain_makes_us_remember_in_a_day_is_bounded(tmp_path: Path) -> None:
    """A new policy and a new host name at every connection: counted, and lumped together past a limit."""
    keys = PurposeKeys.ephemeral()
    posture = Posture.open(tmp_path, keys)
    for number in range(1000):
        policy = Policy("sts", "evil.test", (f"id {number}",))
        posture.count(ORG, "evil.test", policy, Failure("validation-failure", f"mx{number}.evil.test"))
        posture.count(ORG, "evil.test", Policy("sts", "evil.test"), Failure("validation-failure", f"m{number}.test"))
    posture.close()
    reader = Reader(tmp_path / "posture.db", keys)
    _, days, newest = reader.news(0)
    (day,) = days
    assert len(day.counts) <= POLICIES + 1
    assert all(len(count.failed) <= FAILURES + 1 for count in day.counts)
    assert sum(times for count in day.counts for _, times in count.failed) == 2000
    assert newest // DAY_US >= day.day
    assert reader.news(newest) == ([], [], newest)
    reader.close()


async def test_counting_costs_next_to_nothing() -> None:
    """A second of it counts a hundred thousand sessions and more, and writes nothing meanwhile."""
    posture = Posture()
    policy, loop = Policy("no-policy-found", "there.test"), asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20_000):
        posture.count(ORG, "there.test", policy)
    assert loop.time() - began < 1.0
    posture.close()
