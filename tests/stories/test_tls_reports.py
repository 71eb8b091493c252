"""A day of connections becomes a report to those who ask for one (RFC 8460), once, signed, also where TLS is broken."""

import gzip
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import dkim
import pytest
from msgspec import json

from carepost.delivery import https
from carepost.delivery.reporting import Reporter
from carepost.ground import clock
from carepost.posture.tallies import DAY_US
from carepost.rfc import mime, tlsreport
from tests.support.delivering import DOMAIN, Delivering, side
from tests.support.mailhost import Ca, MailHost, PolicyHost, page, pem_file

DAY = timedelta(days=1)
RUA = '"v=TLSRPTv1; rua=mailto:tls@reports.test"'
ZONE = side("there.test") | side("quiet.test") | side("reports.test") | {("_smtp._tls.there.test", "TXT"): RUA}


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca(start=-9 * DAY)


@pytest.fixture
def later() -> Iterator[list[int]]:
    """Days that are added to the clock: mail of the day before yesterday, reported now."""
    added = [-2]
    clock.set_source(lambda: time.time_ns() // 1000 + added[0] * DAY_US)
    yield added
    clock.set_source(None)


@pytest.fixture
async def willow(ca: Ca, later: list[int]) -> AsyncIterator[Delivering]:
    hosts = {
        name: MailHost(ca.leaf(name, start=-9 * DAY).context())
        for name in ("mx.there.test", "mx.quiet.test", "mx.reports.test")
    }
    async with Delivering(hosts, dict(ZONE), ca) as made:
        yield made


def reporter(willow: Delivering, dial: dict[str, tuple[str, int]] | None = None) -> Reporter:
    tls = https.context(str(pem_file(willow.folder, willow.ca.pem)))
    return Reporter(
        [willow.folder / "posture.db"], willow.keys, willow.posture, willow.directory, willow.resolver, willow.intake,
        "mail.willow.test", tls=tls, dial=dial,
    )  # fmt: skip


async def written(willow: Delivering) -> None:
    """What was counted is on disk, and the journal has the events, as some seconds later it would be."""
    _, head = await willow.queue.drain(0, 0, 1)
    await willow.queue.drain(head, head, 1)
    willow.posture._tallies.flush()
    willow.posture._keep.flush()  # type: ignore[union-attr]


async def arrived(host: MailHost, count: int = 1) -> list[bytes]:
    async with host.arrived:
        await host.arrived.wait_for(lambda: len(host.messages) >= count)
    return [body for _, body in host.messages]


async def test_yesterdays_connections_are_reported_once_and_signed(willow: Delivering, later: list[int]) -> None:
    there, reports = willow.hosts["mx.there.test"], willow.hosts["mx.reports.test"]
    for _ in range(3):
        await willow.ended(await willow.submit("jane.roe@there.test"))
    await willow.ended(await willow.submit("john.doe@quiet.test"))
    await written(willow)
    assert await reporter(willow).step() == 0, "the day is not over"
    later[0] = 0
    assert await reporter(willow).step() == 1
    (raw,) = await arrived(reports)
    found = {f"s1._domainkey.{DOMAIN}.".encode(): willow.dkim_record.encode()}
    assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: found.get(name))
    assert b"TLS-Report-Domain: there.test" in raw
    (attached,) = [one for one in mime.read(raw).attachments if one.name.endswith(".json.gz")]
    told = gzip.decompress(attached.data)
    (read,) = tlsreport.read(told)
    assert (read.domain, read.good, read.bad, read.policy) == ("there.test", 1, 0, "no-policy-found")
    assert len(there.messages) == 3, "one connection carried three messages"
    assert b"jane" not in told and b"jane" not in raw
    await written(willow)
    assert await reporter(willow).step() == 0
    assert len(reports.messages) == 1


async def test_the_report_itself_is_counted_in_none(willow: Delivering, later: list[int]) -> None:
    """Or reports would follow on reports for ever."""
    willow.names.zone["_smtp._tls.reports.test", "TXT"] = RUA
    await willow.ended(await willow.submit("jane.roe@there.test"))
    await written(willow)
    later[0] = 0
    assert await reporter(willow).step() == 1
    await arrived(willow.hosts["mx.reports.test"])
    await written(willow)
    later[0] = 2
    assert await reporter(willow).step() == 0


async def test_failures_are_told_by_type_and_reach_a_domain_whose_own_tls_is_broken(ca: Ca, later: list[int]) -> None:
    """RFC 8460 3: the report goes also over the connection that the domain's own policy forbids."""
    broken = MailHost(ca.leaf("mx.broken.test", start=-40 * DAY, life=30 * DAY).context())
    policy = b"version: STSv1\r\nmode: enforce\r\nmx: mx.broken.test\r\nmax_age: 604800\r\n"
    web = PolicyHost(ca.leaf("mta-sts.broken.test", start=-9 * DAY).context(), lambda _: page(policy))
    zone = side("broken.test") | {
        ("_mta-sts.broken.test", "TXT"): '"v=STSv1; id=1"', ("mta-sts.broken.test", "A"): "8.8.8.8",
        ("_smtp._tls.broken.test", "TXT"): '"v=TLSRPTv1; rua=mailto:tls@broken.test"',
    }  # fmt: skip
    async with web:
        dial = {"mta-sts.broken.test": web.address}
        async with Delivering({"mx.broken.test": broken}, zone, ca, dial=dial) as willow:
            view = await willow.ended(await willow.submit("jane.roe@broken.test"))
            assert (view.state, broken.messages) == ("deposited", [])
            await written(willow)
            later[0] = 0
            assert await reporter(willow).step() == 1
            (raw,) = await arrived(broken)
            (attached,) = [one for one in mime.read(raw).attachments if one.name.endswith(".json.gz")]
            (policy_told,) = json.decode(gzip.decompress(attached.data))["policies"]
            assert policy_told["policy"]["policy-type"] == "sts"
            assert policy_told["policy"]["policy-string"][1] == "mode: enforce"
            (detail,) = policy_told["failure-details"]
            assert (detail["result-type"], detail["receiving-mx-hostname"]) == ("certificate-expired", "mx.broken.test")
            # an ordinary message still does not go there
            again = await willow.ended(await willow.submit("jane.roe@broken.test"))
            assert (again.state, len(broken.messages)) == ("deposited", 1)


@pytest.mark.parametrize(("status", "sent"), [("201 Created", 1), ("503 Busy", 0), ("301 Moved", 0)])
async def test_a_report_is_posted_where_https_is_asked_for(
    willow: Delivering, later: list[int], ca: Ca, status: str, sent: int
) -> None:
    """RFC 8460 5.4; refused, it is tried again, and nothing is followed anywhere."""
    willow.names.zone["_smtp._tls.there.test", "TXT"] = '"v=TLSRPTv1; rua=https://in.reports.test/v1"'
    willow.names.zone["in.reports.test", "A"] = "8.8.8.8"
    heads: list[str] = []

    def answer(head: str) -> bytes:
        heads.append(head)
        return page(b"", status=status, extra="Location: https://in.reports.test/elsewhere\r\n")

    async with PolicyHost(ca.leaf("in.reports.test").context(), answer) as web:
        await willow.ended(await willow.submit("jane.roe@there.test"))
        await written(willow)
        later[0] = 0
        assert await reporter(willow, {"in.reports.test": web.address}).step() == sent
        assert web.asked == ["POST /v1 HTTP/1.1"]
        assert "Content-Type: application/tlsrpt+gzip" in heads[0]
        await written(willow)
        assert await reporter(willow, {"in.reports.test": web.address}).step() == 0
        assert len(web.asked) == (1 if sent else 2)


async def test_a_private_address_is_never_posted_to(willow: Delivering, later: list[int]) -> None:
    """BI-090's kind: a stranger's DNS does not choose what in our network we speak to."""
    willow.names.zone["_smtp._tls.there.test", "TXT"] = '"v=TLSRPTv1; rua=https://in.reports.test/v1"'
    willow.names.zone["in.reports.test", "A"] = "127.0.0.1"
    await willow.ended(await willow.submit("jane.roe@there.test"))
    await written(willow)
    later[0] = 0
    assert await reporter(willow).step() == 0


async def test_names_servers_that_are_silent_only_delay_it(willow: Delivering, later: list[int]) -> None:
    willow.names.zone["_smtp._tls.there.test", "TXT"] = "SERVFAIL"
    await willow.ended(await willow.submit("jane.roe@there.test"))
    await written(willow)
    later[0] = 0
    assert await reporter(willow).step() == 0
    willow.names.zone["_smtp._tls.there.test", "TXT"] = RUA
    assert await reporter(willow).step() == 1
