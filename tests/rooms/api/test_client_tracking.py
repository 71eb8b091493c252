"""Opens and clicks by `carepost.client`, through an engine's listener to the office: the documented example as it
stands, and fetches of a message by copy."""

import asyncio
import subprocess
import sys
import uuid

import pytest

from carepost.client import ApiError, AsyncClient, Client
from carepost.client.asked_tracking import summed
from carepost.engagement.models import Copy, Hit
from carepost.ground import ids
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.wire.tracked import CopyFetches, Fetch, MessageTracking
from tests.support import examples
from tests.support.front import key, listener, maple
from tests.support.live import LiveHttp
from tests.support.mailroom import clinic

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])

VOUCHED = "M. Heron, administrator: newsletters to all subscribers, nothing about anybody's care."


@pytest.fixture
def url(listener: LiveHttp) -> str:
    return listener.url


def fetched(org: Organisation, message: bytes, verdict: str, reason: str) -> bytes:
    """A copy of which one link was followed."""
    delivery = ids.new(1)
    owner, copy = org.pk, uuid.UUID(bytes=delivery)
    with scope.organisation(owner):
        Copy.objects.create(
            org_id=owner, delivery=copy, message=uuid.UUID(bytes=message), links=2, clicked=verdict, opened=verdict
        )
        Hit.objects.create(
            org_id=owner, delivery=copy, kind="click", role="link", link=2, at=7, last_at=9, count=3, mark=bytes(8),
            sealed=b"-", verdict=verdict, reason=reason, confidence=91,
        )  # fmt: skip
    return delivery


def test_the_example_does_what_it_says(maple: Organisation, url: str) -> None:
    (text,) = examples.naming("know_network")
    secret = key(maple, "tracking", "messages", "search")
    environment = examples.environment(url, secret)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "scanner 0 0 TrackingAsk(opens=None, clicks=False)"
    with Client(url, secret) as mail:
        (row,) = [one for one in mail.tracking().watched if one.category == "marketing"]
        assert (row.opens, row.clicks, row.attestation) == ("off", "asked", VOUCHED)
        with pytest.raises(ApiError) as refused:
            mail.watch("marketing", opens="on", clicks="on", reason="more")
        assert refused.value.status == 422
        assert mail.count_as("human", reason="people alone").counts == "human"
        hosts = mail.set_tracking_host("maple.test", "link.maple.test", reason="our own name").hosts
        assert hosts == {"maple.test": "link.maple.test"}
        assert mail.know_network("192.0.2.0/24", "", reason="it went").networks == ()


def test_fetches_of_a_message_by_copy(maple: Organisation, url: str) -> None:
    message = ids.new(1)
    human = fetched(maple, message, "human", "session")
    machine = fetched(maple, message, "automated", "decoy")
    secret = key(maple, "messages")
    with Client(url, secret) as mail:
        found = mail.message_tracking(ids.text(message))
        assert {one.delivery for one in found.copies} == {ids.text(human), ids.text(machine)}
        (ours,) = [one for one in found.copies if one.delivery == ids.text(human)]
        fetch = ours.fetches[0]
        assert (fetch.kind, fetch.link, fetch.count, fetch.verdict, fetch.counted) == ("click", 2, 3, "human", True)
        assert fetch.because == "the portal was opened from there by a person"
        # what a machine did is there, and counts for nothing
        assert [(one.opened, one.clicked) for one in found.copies if one is not ours] == [(False, False)]
        assert mail.message_tracking(ids.text(ids.new(1))).copies == ()

    async def asked() -> MessageTracking:
        async with AsyncClient(url, secret) as mail:
            return await mail.message_tracking(ids.text(message))

    assert asyncio.run(asked()) == found


def test_another_organisation_sees_none_of_it(maple: Organisation, url: str) -> None:
    message = ids.new(1)
    fetched(maple, message, "human", "ordinary")
    with Client(url, key(clinic("cedar", "cedar.test"), "messages")) as mail:
        assert mail.message_tracking(ids.text(message)).copies == ()
    with Client(url, key(maple, "tracking")) as mail, pytest.raises(ApiError) as refused:
        mail.message_tracking(ids.text(message))
    assert refused.value.status == 403


def test_a_campaign_is_its_messages_summed() -> None:
    def one(verdict: str, kind: str) -> CopyFetches:
        counted = verdict == "human"
        return CopyFetches("d", (Fetch(kind, "link", 1, 1, 1, 1, verdict, "", 90, counted),))

    first = MessageTracking("m-1", (one("human", "click"), one("human", "open"), one("automated", "click")))
    found = summed([(4, first), (1, MessageTracking("m-2", ()))])
    assert (found.messages, found.recipients, found.opened, found.clicked) == (2, 5, 2, 1)
