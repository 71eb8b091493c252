"""Records for tests: messages as an engine's outbox tells of them, taken into log and history by the journal's own
commit, inside the transaction a test is wrapped in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any

import msgspec
from django.conf import settings
from django.db import connections, transaction

from carepost.archive.books import book
from carepost.archive.store import speaking
from carepost.audit.store import PostgresStore, Row, SqliteStore
from carepost.ground import clock, ids
from carepost.journal.commits import Commits
from carepost.journal.signers import signers
from carepost.policy.types import Access
from carepost.proof import event, kinds, openings
from carepost.queue.sealing import EVIDENCE, month_key
from carepost.tenancy import events as office
from carepost.tenancy import scope
from carepost.wire.types import AccessProof, Drained, HistoryRecord, PortalNote, Told

SHARD = 1
SOURCE = "shard-0001"


class Writable:
    """The records' store as the journal has it, its transactions savepoints of the test's."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        with transaction.atomic(using="records"):
            yield

    @contextmanager
    def reading(self, org: bytes | None) -> Iterator[None]:
        yield


class _Sqlite(Writable, SqliteStore):
    pass


class _Postgres(Writable, PostgresStore):
    """Sees and writes the rows of all organisations, one statement at a time: the test's own stay scoped."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with speaking(self._connection, "*"):
            return super().rows(sql, parameters)

    def many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with speaking(self._connection, "*"):
            super().many(sql, rows)


def writable() -> Any:
    wrapper = connections["records"]
    wrapper.ensure_connection()
    return (_Postgres if settings.CAREPOST_ONE_DATABASE else _Sqlite)(wrapper.connection)


class Engine:
    """Makes the events of one shard, numbered without a gap, as its outbox holds them: `waiting`."""

    def __init__(self) -> None:
        self.seq = 0
        self.waiting: list[Drained] = []

    def add(
        self, org: bytes, kind: str, on: Sequence[bytes], *, values: Mapping[str, bytes] | None = None,
        facts: Mapping[str, str] | None = None, cause: str = "", result: str = "ok",
        actor: tuple[str, str] = ("system", "delivery"),
    ) -> Drained:  # fmt: skip
        self.seq += 1
        draft, personal = kinds.make(
            kind, id=ids.text(ids.new(SHARD)), org=ids.text(org), at=clock.now(), actor=actor,
            on=[ids.text(one) for one in on], values=values, facts=facts, cause=cause, result=result, policy="1",
            category="transactional",
        )  # fmt: skip
        version, key = book().current(org, EVIDENCE)
        sealed = openings.seal(month_key(key, draft.at), version, org, draft.id, personal)
        row = Drained(self.seq, org, event.finish(draft, SOURCE, self.seq), sealed)
        self.waiting.append(row)
        return row

    def accepted(
        self, org: bytes, to: Sequence[str] = ("jane.quillfeather@patient.test",), *, sender: str = "nurse@maple.test",
        subject: str = "Results of the Quillfeather panel", message_id: str = "", tags: tuple[str, ...] = (),
        origin: str = "api", actor: tuple[str, str] = ("system", "delivery"), forwarded: bool = False,
    ) -> tuple[bytes, list[bytes]]:  # fmt: skip
        """(message, its deliveries), queued."""
        message = ids.new(SHARD)
        record = HistoryRecord(sender, sender, subject, message_id or f"<{ids.text(message)}@maple.test>", tags)
        values = {"submitted": bytes(32), "mail": b"{}", "client": b"192.0.2.7", "record": msgspec.json.encode(record)}
        about = {"origin": origin, "size": "1234"} | ({"forwarded": "yes"} if forwarded else {})
        self.add(org, kinds.MESSAGE_ACCEPTED, [message], values=values, facts=about, actor=actor)
        deliveries = []
        for address in to:
            delivery = ids.new(SHARD)
            told = {"recipient": address.encode(), "words": _told("Needs a verified connection.")}
            facts = {"rule": "default-floor", "state": "queued", "method": "tls", "required": "VERIFIED"}
            self.add(org, kinds.DELIVERY_QUEUED, [message, delivery], values=told, facts=facts)
            deliveries.append(delivery)
        return message, deliveries

    def sent(
        self, org: bytes, message: bytes, delivery: bytes, *, reply: str = "250 2.0.0 Taken", method: str = "tls",
        provider: str = "", rule: str = "",
    ) -> None:  # fmt: skip
        facts = (
            {"attempt": "1", "method": method, "required": "VERIFIED"}
            | ({"provider": provider} if provider else {})
            | ({"rule": rule} if rule else {})
        )
        self.add(org, kinds.DELIVERY_ATTEMPTED, [message, delivery], facts=facts)
        wire = kinds.commit_wire(mx="mx.patient.test", address="192.0.2.9", reply=reply, recipient="x@patient.test")
        seen = {
            "state": "sent",
            "stage": "dot",
            "achieved": "VERIFIED",
            "tls": "TLSv1.3",
            "cipher": "AES",
            "code": "250",
        }
        values = {"sent": bytes(32), "mail": b"{}", **wire, "words": _told("The server accepted it.", "Accepted.")}
        self.add(org, kinds.DELIVERY_SENT, [message, delivery], values=values, facts=facts | seen)

    def failed(
        self, org: bytes, message: bytes, delivery: bytes, *, reason: str = "mailbox-unknown", provider: str = "",
    ) -> None:  # fmt: skip
        facts = {"attempt": "1", "method": "tls", "state": "failed", "stage": "rcpt", "bounce": reason,
                 "bounce-class": "hard", "code": "550"} | ({"provider": provider} if provider else {})  # fmt: skip
        values = {"words": _told("There is no such mailbox.", "Refused.")}
        self.add(org, kinds.DELIVERY_FAILED, [message, delivery], values=values, facts=facts, cause="refused")

    def deferred(self, org: bytes, message: bytes, delivery: bytes, *, provider: str = "") -> None:
        facts = {"attempt": "1", "method": "tls", "state": "deferred", "stage": "rcpt", "code": "452"}
        facts |= {"provider": provider} if provider else {}
        values = {"words": _told("It will be tried again.", "Not now.")}
        self.add(org, kinds.DELIVERY_DEFERRED, [message, delivery], values=values, facts=facts, cause="later")

    def deposited(self, org: bytes, message: bytes, delivery: bytes, recipient: str) -> Drained:
        told = PortalNote(recipient, "nurse@maple.test", AccessProof(Access.NONE), by_mail=True, rule="portal-by-mail")
        values = {"deposit": bytes(32), "mail": b"{}", "portal": msgspec.json.encode(told), "words": _told("It waits.")}
        facts = {"attempt": "1", "method": "portal", "required": "MAILBOX", "achieved": "MAILBOX", "state": "deposited",
                 "rule": "portal-by-mail", "access": "mailed-code"}  # fmt: skip
        return self.add(org, kinds.DELIVERY_DEPOSITED, [message, delivery], values=values, facts=facts)


_LOG = ("audit_leaf", "audit_node", "audit_on", "audit_checkpoint", "audit_key", "audit_log", "audit_source")


class Outbox(Engine):
    """One shard's events and the office's, taken in by the journal."""

    def __init__(self) -> None:
        super().__init__()
        self.store = writable()
        self.store.migrate()
        self.owed = Flag()
        self.commits = Commits(self.store, book(), signers(book(), settings.CAREPOST_KEYS), self.owed)

    def empty(self) -> "Outbox":
        """Of a test whose transactions are real: the log's tables are none of Django's, and keep what an earlier such
        test wrote."""
        with self.store.writing():
            for table in _LOG:
                self.store.rows(f"DELETE FROM {table}")
        return self

    def commit(self) -> None:
        """What waits goes into log and history."""
        rows, self.waiting = self.waiting, []
        if rows:
            self.commits.commit(rows)

    def commit_office(self) -> list[event.Event]:
        """The office's events since the last time, in the log now."""
        with scope.every("the journal drains all"):
            rows = office.drain(0)
            self.commits.commit(rows)
            office.acknowledge(rows[-1].seq if rows else 0)
        return [event.read(row.event) for row in rows]


def _told(delivery: str, attempt: str = "") -> bytes:
    return msgspec.json.encode(Told(delivery, attempt))


def office_events(kind: str) -> list[event.Event]:
    """Those of a kind that wait in the office's outbox."""
    with scope.every("the test's own eyes"):
        return [e for e in (event.read(row.event) for row in office.drain(0)) if e.kind == kind]
