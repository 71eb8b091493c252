"""A courier, and what it sends, for tests against scripted mail hosts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop

from carepost.crypto.sealed import Sealed
from carepost.delivery.courier import Carried, Courier, Need, Parcel
from carepost.delivery.exchange import Timeouts
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.trust import Anchors
from carepost.rfc.envelope import Recipient
from tests.support.mailhost import Ca, MailHost

BODY = b"From: nurse@clinic.test\r\nSubject: Invented results\r\n\r\nThe invented results.\r\n"


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    return uvloop.EventLoopPolicy()


@pytest.fixture(scope="session")
def ca() -> Ca:
    return Ca()


@pytest.fixture(scope="session")
def anchors(ca: Ca) -> Anchors:
    return Anchors.pinned(ca.pem)


def sealed(data: bytes = BODY, *, floor: int = 30, to: str = "jane.roe@there.test", **fields: Any) -> Sealed:
    return Sealed.make(method="tls", floor=floor, sender="nurse@clinic.test", recipient=to, data=data, **fields)


def hop(host: MailHost, name: str = "mx.there.test", **fields: Any) -> Hop:
    address, port = host.address
    return Hop(name, (address,), port, **fields)


class Sender:
    """A courier that sends one message and says how it ended."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.dots = 0

    async def __call__(
        self, hops: Hops, what: Sealed | None = None, *, need: Need | None = None, recipient: Recipient | None = None
    ) -> Carried:
        message = what or sealed()
        parcel = Parcel(message, recipient or Recipient(message.recipient), self._dot)
        return await self.courier.send(parcel, hops, need or Need(message.floor))

    def _dot(self) -> None:
        self.dots += 1


@pytest.fixture
async def send(anchors: Anchors) -> AsyncIterator[Sender]:
    quick = Timeouts(connect=2, banner=1.0, command=1.0, data=1.0, block=1.0, dot=1.0, handshake=2.0, quit=0.5)
    courier = Courier("mail.clinic.test", anchors, timeouts=quick)
    courier.start()
    yield Sender(courier)
    await courier.close()
