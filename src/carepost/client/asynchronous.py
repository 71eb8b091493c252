"""The client for asyncio: the same calls, each exchange in a thread of its own, the waits on the loop."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from carepost.client import asked, asked_destinations, asked_keys, asked_tracking, calls
from carepost.client.asked import Ahead, Ask, EventPage, Job, MessagePage, Rendered, Resent, Uploaded
from carepost.client.asked_tracking import CampaignTracking
from carepost.client.calls import Course, Retry
from carepost.client.transport import Lost, Transport
from carepost.ground import clock
from carepost.wire import rest
from carepost.wire.destinations import DestinationLine, DestinationPin, DestinationView
from carepost.wire.ownkeys import ImportedOwnKey, OwnAuthority, OwnKey
from carepost.wire.tracked import MessageTracking, Tracking, TrackingReport
from carepost.wire.types import MessageView

T = TypeVar("T")


class AsyncClient:
    """As `Client`. `at_once`: exchanges under way at the same moment."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        retry: Retry = Retry(),  # noqa: B008  frozen values
        context: ssl.SSLContext | None = None,
        at_once: int = 16,
    ) -> None:
        self._transport = Transport(url, key, timeout=timeout, context=context)
        self._retry = retry
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="carepost-client")

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    async def send(self, message: rest.Message, *, idempotency_key: str | None = None) -> rest.MessageAccepted:
        return await self._do(asked.send(message, idempotency_key))

    async def send_batch(
        self, messages: Iterable[rest.Message], *, idempotency_key: str | None = None
    ) -> tuple[rest.BatchEntry, ...]:
        return await self._do(asked.send_batch(messages, idempotency_key))

    async def preview(self, message: rest.Message) -> tuple[rest.Delivery, ...]:
        return await self._do(asked.preview(message))

    async def message(self, id_: str) -> MessageView:
        return await self._do(asked.message(id_))

    async def messages(self, **query: object) -> AsyncIterator[MessageView]:
        cursor = ""
        while True:
            page = await self._do(asked.messages({**query, "cursor": cursor}))
            for one in page.messages:
                yield one
            cursor = page.cursor
            if not cursor:
                return

    async def search(self, **wanted: object) -> MessagePage:
        return await self._do(asked.search(wanted))

    async def retract(self, id_: str, *, reason: str = "") -> dict[str, str]:
        return await self._do(asked.retract(id_, reason))

    async def resend(
        self,
        id_: str,
        *,
        reason: str = "",
        deliveries: Iterable[str] = (),
        as_today: bool = False,
        idempotency_key: str | None = None,
    ) -> Resent:
        return await self._do(asked.resend(id_, reason, deliveries, as_today, idempotency_key))

    async def begin_job(self, kind: str, search: Mapping[str, object], **given: object) -> Job:
        return await self._do(asked.begin_job(kind, search, given))

    async def job(self, id_: str) -> Job:
        return await self._do(asked.job(id_))

    async def jobs(self) -> tuple[Job, ...]:
        return await self._do(asked.jobs())

    async def wait_for_job(self, id_: str, *, seconds: float = 600.0, every: float = 2.0) -> Job:
        return await self._wait(asked.job(id_), seconds, every)

    async def cancel_job(self, id_: str) -> Job:
        return await self._do(asked.cancel_job(id_))

    async def job_result(self, id_: str) -> bytes:
        return await self._do(asked.job_result(id_))

    async def proof(self, id_: str, delivery: str) -> bytes:
        return await self._do(asked.proof(id_, delivery))

    async def upload(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> Uploaded:
        return await self._do(asked.upload(name, data, content_type))

    async def render(self, template: str, variables: Mapping[str, object], *, number: int = 0) -> Rendered:
        return await self._do(asked.render(template, variables, number))

    async def events(self, *, cursor: str = "", limit: int = 200) -> EventPage:
        return await self._do(asked.events(cursor, limit))

    async def suppress(self, address: str, *, reason: str = "request") -> None:
        await self._do(asked.suppress(address, reason))

    async def begin_suppression_import(
        self, data: bytes, *, content_type: str = "text/csv", dry_run: bool = False, reason: str = "request"
    ) -> Job:
        return await self._do(asked.begin_suppression_import(data, content_type, dry_run, reason))

    async def suppression_import(self, id_: str) -> Job:
        return await self._do(asked.suppression_import(id_))

    async def wait_for_suppression_import(self, id_: str, *, seconds: float = 3600.0, every: float = 2.0) -> Job:
        return await self._wait(asked.suppression_import(id_), seconds, every)

    async def begin_tried_import(self, id_: str) -> Job:
        return await self._do(asked.begin_tried_import(id_))

    async def cancel_suppression_import(self, id_: str) -> Job:
        return await self._do(asked.cancel_suppression_import(id_))

    async def undo_suppression_import(self, id_: str, *, reason: str) -> Job:
        return await self._do(asked.undo_suppression_import(id_, reason))

    async def suppression_import_problems(self, id_: str) -> bytes:
        return await self._do(asked.suppression_import_problems(id_))

    async def sending_ahead(self) -> Ahead:
        return await self._do(asked.ahead())

    async def set_sending_ahead(self, days: int, *, reason: str) -> Ahead:
        return await self._do(asked.set_ahead(days, reason))

    async def destinations(self, *, attention: bool = False) -> AsyncIterator[DestinationLine]:
        cursor = ""
        while True:
            page = await self._do(asked_destinations.listed(cursor, attention))
            for one in page.destinations:
                yield one
            cursor = page.cursor
            if not cursor:
                return

    async def find_destinations(self, domain: str) -> tuple[DestinationLine, ...]:
        return await self._do(asked_destinations.found(domain))

    async def destination(self, id_: str) -> DestinationView:
        return await self._do(asked_destinations.one(id_))

    async def see_destination_alerts(self, id_: str) -> None:
        await self._do(asked_destinations.seen(id_))

    async def pins(self) -> tuple[DestinationPin, ...]:
        return await self._do(asked_destinations.pins())

    async def pin_destination(self, domain: str, host: str, *, reason: str, **given: object) -> DestinationPin:
        return await self._do(asked_destinations.pin(domain, host, reason, given))

    async def unpin_destination(self, domain: str, *, reason: str) -> None:
        await self._do(asked_destinations.unpin(domain, reason))

    async def own_keys(self) -> AsyncIterator[OwnKey]:
        cursor = ""
        while True:
            page = await self._do(asked_keys.listed(cursor))
            for one in page.own_keys:
                yield one
            cursor = page.cursor
            if not cursor:
                return

    async def own_key(self, id_: str) -> OwnKey:
        return await self._do(asked_keys.one(id_))

    async def generate_own_key(self, address: str, *, reason: str, **given: object) -> OwnKey:
        return await self._do(asked_keys.generate(address, reason, given))

    async def import_own_key(self, file: bytes, passphrase: str, *, reason: str, **given: object) -> ImportedOwnKey:
        return await self._do(asked_keys.bring_in(file, passphrase, reason, given))

    async def change_own_key(self, id_: str, act: str, *, reason: str, **given: object) -> OwnKey:
        return await self._do(asked_keys.change(id_, act, reason, given))

    async def own_key_public(self, id_: str, part: str = "certificate") -> str:
        return await self._do(asked_keys.public(id_, part))

    async def authorities(self) -> tuple[OwnAuthority, ...]:
        return await self._do(asked_keys.authorities())

    async def authority_certificate(self, id_: str) -> str:
        return await self._do(asked_keys.authority_certificate(id_))

    async def sign_authority_list(self, id_: str) -> OwnAuthority:
        return await self._do(asked_keys.sign_list(id_))

    async def tracking(self) -> Tracking:
        return await self._do(asked_tracking.tracking())

    async def watch(self, category: str, *, opens: str, clicks: str, reason: str, attestation: str = "") -> Tracking:
        return await self._do(asked_tracking.watch(category, opens, clicks, reason, attestation))

    async def count_as(self, counts: str, *, reason: str) -> Tracking:
        return await self._do(asked_tracking.count_as(counts, reason))

    async def set_tracking_host(self, domain: str, host: str, *, reason: str) -> Tracking:
        return await self._do(asked_tracking.set_host(domain, host, reason))

    async def know_network(self, network: str, means: str, *, reason: str, note: str = "") -> Tracking:
        return await self._do(asked_tracking.set_network(network, means, reason, note))

    async def tracking_report(self, *, days: int = 30, category: str = "", counts: str = "") -> TrackingReport:
        return await self._do(asked_tracking.report(days, category, counts))

    async def message_tracking(self, id_: str) -> MessageTracking:
        return await self._do(asked_tracking.of_message(id_))

    async def campaign_tracking(self, tag: str, **query: object) -> CampaignTracking:
        found = [
            (len(one.deliveries), await self.message_tracking(one.id)) async for one in self.messages(tag=tag, **query)
        ]
        return asked_tracking.summed(found)

    async def get(self, path: str, **query: object) -> Any:
        return await self._do(asked.other(calls.get(path, **query)))

    async def post(self, path: str, value: object) -> Any:
        return await self._do(asked.other(calls.post(path, value)))

    async def _wait(self, ask: Ask[Job], seconds: float, every: float) -> Job:
        end = clock.monotonic() + seconds
        while True:
            found = await self._do(ask)
            if not found.open or clock.monotonic() + every >= end:
                return found
            await asyncio.sleep(every)

    async def _do(self, ask: Ask[T]) -> T:
        course = Course(ask.call, self._retry)
        loop = asyncio.get_running_loop()
        while True:
            try:
                reply = await loop.run_in_executor(self._threads, self._transport.exchange, ask.call)
            except Lost as error:
                wait = course.lost(sent=error.sent)
            else:
                later = course.wait(reply)
                if later is None:
                    return ask.read(calls.settled(reply))
                wait = later
            await asyncio.sleep(wait)
