"""The client for ordinary code. Safe to share between threads."""

import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
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


class Client:
    """`url`: https://host[:port]; `key`: an API key. Every call raises ApiError, Unreachable."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 30.0,
        retry: Retry = Retry(),  # noqa: B008  frozen values
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._transport = Transport(url, key, timeout=timeout, context=context)
        self._retry = retry
        self._never = threading.Event()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def send(self, message: rest.Message, *, idempotency_key: str | None = None) -> rest.MessageAccepted:
        """One message: durable when this returns."""
        return self._do(asked.send(message, idempotency_key))

    def send_batch(
        self, messages: Iterable[rest.Message], *, idempotency_key: str | None = None
    ) -> tuple[rest.BatchEntry, ...]:
        """Up to 1,000: an entry for each, in their order, with its id or its problem."""
        return self._do(asked.send_batch(messages, idempotency_key))

    def preview(self, message: rest.Message) -> tuple[rest.Delivery, ...]:
        """What each recipient would get, and why; nothing is sent."""
        return self._do(asked.preview(message))

    def message(self, id_: str) -> MessageView:
        return self._do(asked.message(id_))

    def messages(self, **query: object) -> Iterator[MessageView]:
        """All that fit `since`, `until`, `state`, `tag`, newest first, page by page."""
        cursor = ""
        while True:
            page: MessagePage = self._do(asked.messages({**query, "cursor": cursor}))
            yield from page.messages
            cursor = page.cursor
            if not cursor:
                return

    def search(self, **wanted: object) -> MessagePage:
        """One page by `recipient`, `sender`, `subject`, `message_id`, `tag`, `state`, `since`, `until`, `cursor`."""
        return self._do(asked.search(wanted))

    def retract(self, id_: str, *, reason: str = "") -> dict[str, str]:
        """Takes it back, also before its `send_at`: delivery id -> its state now, or "not-possible"."""
        return self._do(asked.retract(id_, reason))

    def resend(
        self,
        id_: str,
        *,
        reason: str = "",
        deliveries: Iterable[str] = (),
        as_today: bool = False,
        idempotency_key: str | None = None,
    ) -> Resent:
        """Sent again as a new message, to all who may get it again or to these `deliveries`. `as_today`: as today's
        rules say, also where they ask for less protection than was required of the first."""
        return self._do(asked.resend(id_, reason, deliveries, as_today, idempotency_key))

    def begin_job(self, kind: str, search: Mapping[str, object], **given: object) -> Job:
        """`kind`: retry, retract, resend, export-messages, export-events. `given`: `reason`, `form`, `opened`,
        `as_today`."""
        return self._do(asked.begin_job(kind, search, given))

    def job(self, id_: str) -> Job:
        return self._do(asked.job(id_))

    def jobs(self) -> tuple[Job, ...]:
        """Of the last day, newest first."""
        return self._do(asked.jobs())

    def wait_for_job(self, id_: str, *, seconds: float = 600.0, every: float = 2.0) -> Job:
        """As soon as it has ended, or after `seconds` as it stands then."""
        return self._wait(asked.job(id_), seconds, every)

    def cancel_job(self, id_: str) -> Job:
        """What it did so far stays done."""
        return self._do(asked.cancel_job(id_))

    def job_result(self, id_: str) -> bytes:
        """What an export made; fetching it is on record."""
        return self._do(asked.job_result(id_))

    def proof(self, id_: str, delivery: str) -> bytes:
        """The proof file, for `carepost verify`."""
        return self._do(asked.proof(id_, delivery))

    def upload(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> Uploaded:
        return self._do(asked.upload(name, data, content_type))

    def render(self, template: str, variables: Mapping[str, object], *, number: int = 0) -> Rendered:
        return self._do(asked.render(template, variables, number))

    def events(self, *, cursor: str = "", limit: int = 200) -> EventPage:
        """Hand `cursor` back for the next page, or `follow` to read on where the log ended before."""
        return self._do(asked.events(cursor, limit))

    def suppress(self, address: str, *, reason: str = "request") -> None:
        self._do(asked.suppress(address, reason))

    def begin_suppression_import(
        self, data: bytes, *, content_type: str = "text/csv", dry_run: bool = False, reason: str = "request"
    ) -> Job:
        """A file of up to 2,000,000 addresses nothing is to be sent to, as a job. `content_type`: text/csv (a header
        with `address`) or application/x-ndjson. `dry_run`: looked at alone; begin_tried_import imports it then."""
        return self._do(asked.begin_suppression_import(data, content_type, dry_run, reason))

    def suppression_import(self, id_: str) -> Job:
        return self._do(asked.suppression_import(id_))

    def wait_for_suppression_import(self, id_: str, *, seconds: float = 3600.0, every: float = 2.0) -> Job:
        """As soon as it has ended, or after `seconds` as it stands then."""
        return self._wait(asked.suppression_import(id_), seconds, every)

    def begin_tried_import(self, id_: str) -> Job:
        """The import of what a dry run looked at; asked twice it is one."""
        return self._do(asked.begin_tried_import(id_))

    def cancel_suppression_import(self, id_: str) -> Job:
        """What it did so far stays done."""
        return self._do(asked.cancel_suppression_import(id_))

    def undo_suppression_import(self, id_: str, *, reason: str) -> Job:
        """A job that takes off again what that import put on the list, and nothing else; for a week."""
        return self._do(asked.undo_suppression_import(id_, reason))

    def suppression_import_problems(self, id_: str) -> bytes:
        """Which lines are wrong, and how, in the form the file had; fetching it is on record."""
        return self._do(asked.suppression_import_problems(id_))

    def sending_ahead(self) -> Ahead:
        """How far ahead `send_at` may lie."""
        return self._do(asked.ahead())

    def set_sending_ahead(self, days: int, *, reason: str) -> Ahead:
        """1 to 366 days; what was accepted before stays scheduled."""
        return self._do(asked.set_ahead(days, reason))

    def destinations(self, *, attention: bool = False) -> Iterator[DestinationLine]:
        """Where mail goes, by domain, page by page; `attention`: those with alerts nobody has looked at."""
        cursor = ""
        while True:
            page = self._do(asked_destinations.listed(cursor, attention))
            yield from page.destinations
            cursor = page.cursor
            if not cursor:
                return

    def find_destinations(self, domain: str) -> tuple[DestinationLine, ...]:
        """By a part of their domain; the first 200."""
        return self._do(asked_destinations.found(domain))

    def destination(self, id_: str) -> DestinationView:
        """How it stands, what changed when, how sessions went, and its pin."""
        return self._do(asked_destinations.one(id_))

    def see_destination_alerts(self, id_: str) -> None:
        """With the scope `held`."""
        self._do(asked_destinations.seen(id_))

    def pins(self) -> tuple[DestinationPin, ...]:
        return self._do(asked_destinations.pins())

    def pin_destination(self, domain: str, host: str, *, reason: str, **given: object) -> DestinationPin:
        """Mail for `domain` goes to `host` alone. `given`: `port`, `ca` (PEM), `keys`, `otherwise` (hold, next)."""
        return self._do(asked_destinations.pin(domain, host, reason, given))

    def unpin_destination(self, domain: str, *, reason: str) -> None:
        """DNS decides again."""
        self._do(asked_destinations.unpin(domain, reason))

    def own_keys(self) -> Iterator[OwnKey]:
        """The organisation's own, newest first, page by page."""
        cursor = ""
        while True:
            page = self._do(asked_keys.listed(cursor))
            yield from page.own_keys
            cursor = page.cursor
            if not cursor:
                return

    def own_key(self, id_: str) -> OwnKey:
        return self._do(asked_keys.one(id_))

    def generate_own_key(self, address: str, *, reason: str, **given: object) -> OwnKey:
        """`given`: `method`, `certified_by` (itself, authority, another), `shared`, `days`, … (docs/api.md)."""
        return self._do(asked_keys.generate(address, reason, given))

    def import_own_key(self, file: bytes, passphrase: str, *, reason: str, **given: object) -> ImportedOwnKey:
        """PKCS#12, or an OpenPGP secret key. `given`: `address`, `shared`, `former`, `dry_run`, …."""
        return self._do(asked_keys.bring_in(file, passphrase, reason, given))

    def change_own_key(self, id_: str, act: str, *, reason: str, **given: object) -> OwnKey:
        """`act`: rotate (answers the new key), revoke, certify, install (`certificate`), sign-all, keep-in."""
        return self._do(asked_keys.change(id_, act, reason, given))

    def own_key_public(self, id_: str, part: str = "certificate") -> str:
        """PEM or an armored certificate; `part`: certificate, or request."""
        return self._do(asked_keys.public(id_, part))

    def authorities(self) -> tuple[OwnAuthority, ...]:
        return self._do(asked_keys.authorities())

    def authority_certificate(self, id_: str) -> str:
        return self._do(asked_keys.authority_certificate(id_))

    def sign_authority_list(self, id_: str) -> OwnAuthority:
        return self._do(asked_keys.sign_list(id_))

    def tracking(self) -> Tracking:
        """What is watched, over which hosts, what counts, and the networks one knows."""
        return self._do(asked_tracking.tracking())

    def watch(self, category: str, *, opens: str, clicks: str, reason: str, attestation: str = "") -> Tracking:
        """`opens`, `clicks`: off, asked, on. More than before needs `attestation`: who vouches, and why. One message
        says no, or asks for it, by `Message(..., tracking=TrackingAsk(opens=…, clicks=…))`."""
        return self._do(asked_tracking.watch(category, opens, clicks, reason, attestation))

    def count_as(self, counts: str, *, reason: str) -> Tracking:
        """`counts`: human, not-automated, all; for the past too."""
        return self._do(asked_tracking.count_as(counts, reason))

    def set_tracking_host(self, domain: str, host: str, *, reason: str) -> Tracking:
        """`host` "": over the portal's address again."""
        return self._do(asked_tracking.set_host(domain, host, reason))

    def know_network(self, network: str, means: str, *, reason: str, note: str = "") -> Tracking:
        """`means`: scanner, office, filter, vpn, data-centre; "": it is not known any more."""
        return self._do(asked_tracking.set_network(network, means, reason, note))

    def tracking_report(self, *, days: int = 30, category: str = "", counts: str = "") -> TrackingReport:
        """Figures by day and category; `counts` "": as the account counts."""
        return self._do(asked_tracking.report(days, category, counts))

    def message_tracking(self, id_: str) -> MessageTracking:
        """Opens and clicks of one message, by copy, with verdict and reason."""
        return self._do(asked_tracking.of_message(id_))

    def campaign_tracking(self, tag: str, **query: object) -> CampaignTracking:
        """All messages with a tag, summed; `query`: `since`, `until`. One call for each message."""
        found = ((len(one.deliveries), self.message_tracking(one.id)) for one in self.messages(tag=tag, **query))
        return asked_tracking.summed(found)

    def get(self, path: str, **query: object) -> Any:
        """Any other address of the API (docs/api.md), as JSON."""
        return self._do(asked.other(calls.get(path, **query)))

    def post(self, path: str, value: object) -> Any:
        return self._do(asked.other(calls.post(path, value)))

    def _wait(self, ask: Ask[Job], seconds: float, every: float) -> Job:
        end = clock.monotonic() + seconds
        while True:
            found = self._do(ask)
            if not found.open or clock.monotonic() + every >= end:
                return found
            self._never.wait(every)

    def _do(self, ask: Ask[T]) -> T:
        course = Course(ask.call, self._retry)
        while True:
            try:
                reply = self._transport.exchange(ask.call)
            except Lost as error:
                wait = course.lost(sent=error.sent)
            else:
                later = course.wait(reply)
                if later is None:
                    return ask.read(calls.settled(reply))
                wait = later
            self._never.wait(wait)
