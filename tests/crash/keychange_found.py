"""What stands in a home whose keys were all changed (`keychange`): Django is set up when this is imported."""

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import msgspec

from carepost.archive import books, search
from carepost.audit import reader
from carepost.audit.store import PostgresStore
from carepost.audit.verify_log import verify_log
from carepost.crypto import index
from carepost.directory import threads
from carepost.engagement.models import Copy
from carepost.engagement.retokening import PLACES
from carepost.keyring import select
from carepost.mailbox import people, sealing
from carepost.mailbox.models import Deposit, Recipient, Thread
from carepost.mailbox.records import DepositRecord
from carepost.mailbox.within import within
from carepost.proof import published
from carepost.proof.verify import verify
from carepost.tenancy import keys as opened
from carepost.tenancy import retokening, rewrapping
from carepost.tenancy import sealing as columns
from carepost.tenancy.actions import suppression
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import COMMAND_LINE
from tests.crash.keychange import GONE, JANE, PARTNER


def found(at: Path, store: Any, org: uuid.UUID, keys: Any) -> dict[str, Any]:
    rows = OrgKey.objects.filter(org_id=org)
    if isinstance(store, PostgresStore):
        # what is asked for below in plain SQL is bound by row security as well
        store.rows("SELECT set_config('carepost.org', ?, false)", (str(org),))
    return {
        **_log(store, org),
        "versions": sorted([row.purpose, row.version] for row in rows if row.purpose != "dkim"),
        "emptied": sorted([row.purpose, row.version] for row in rows if row.emptied_at),
        "behind": [one.words for purpose in retokening.PURPOSES for one in retokening.behind(PLACES, org, purpose)],
        "followed": {one.table._meta.db_table: one.table.objects.filter(org_id=org).count() for one in PLACES},
        "opens": _opens(opened.purposes()),
        "wrapped_before": rewrapping.left(keys.current),
        "suppressed": suppression.known(org, suppression.wanted(GONE, "bounce")),
        "partner": len(select.keys_of(org, COMMAND_LINE, PARTNER)),
        "searched": len(search.search(org.bytes, COMMAND_LINE, search.Wanted(subject="panel")).messages),
        **_portal(at, org),
        "copy": [bytes(row.domain) == _domain(org) for row in Copy.objects.filter(org_id=org)],
    }


def _log(store: Any, org: uuid.UUID) -> dict[str, Any]:
    opener = books.opener().openings
    report = verify_log(store, opener=opener)
    page = published.page([reader.terms(store, org.bytes)])
    pairs = store.rows("SELECT message, id FROM archive_delivery")
    texts = [[str(uuid.UUID(str(one))) for one in pair] for pair in pairs]
    proofs = [verify(reader.proof(store, org.bytes, *one, opener), None, page).signer for one in texts]
    kinds = [json.loads(row[0])["kind"] for row in store.rows("SELECT event FROM audit_leaf WHERE source = 'office'")]
    return {
        "logs": len(report.logs),
        "findings": [f.code for r in [report, *report.logs] for f in r.findings],
        "proofs": proofs,
        "told": {kind: kinds.count(kind) for kind in ("orgkey.rotated", "log.key-introduced", "orgkey.emptied")},
        "log_keys": len(reader.keys(store, org.bytes)),
    }


def _opens(held: Any) -> dict[str, int]:
    """Table -> how many of its keys opened: what is wrapped and does not open raises."""
    done = {}
    for place in rewrapping.PLACES:
        rows = list(place.table.objects.select_related(*place.related))
        done[place.table._meta.db_table] = sum(
            len(held.unwrap(place.purpose(row), bytes(row.wrapped), place.aad(row))) > 0 for row in rows
        )
    return done


def _portal(at: Path, org: uuid.UUID) -> dict[str, Any]:
    """The message laid down before, whose it is, and the address of its conversation that was given out before."""
    (row,) = Deposit.objects.filter(org_id=org)
    record = sealing.open_record(org.bytes, row.id, row.record, DepositRecord)
    body = sealing.open_body(row.body, msgspec.msgpack.decode(bytes(row.body.chunks)))
    given = (at.parent / "address").read_text().partition("@")[0].partition("+")[2].upper()
    mac = base64.b32decode(given + "=" * (-len(given) % 8))[16:]
    kept = bytes(Thread.objects.get(pk=row.thread_id).engine)
    known = threads.read(columns.open_(org, "evidence", kept, f"{threads.PLACE}/{row.thread_id}"))
    with within(org.bytes):
        again = people.find_or_make(org.bytes, JANE)
        newer = people.reply_to(org, row.thread_id, "portal@maple.test")
    return {
        "message": (record.recipient, b"zebrafish" in body),
        "same_person": again.pk == row.recipient_id and Recipient.objects.filter(org_id=org).count() == 1,
        "joins": threads.fits(threads.Found(known, row.thread.until), mac),
        "newer": newer != (at.parent / "address").read_text(),
    }


def _domain(org: uuid.UUID) -> bytes:
    return index.token(opened.current(org, "index")[1], "domain", "patient.test")
