"""A change of every key, to be killed: index, signing and master key of a real home, with what the journal does of it.

python keychange.py HOME make            a home with mail on record, a suppressed address, keys of every kind
python keychange.py HOME run [FAULT]     FAULT: point, SIGKILL at its first passing; each run goes on where the last
                                         one died, and prints what stands there where it ends
"""

import json
import os
import sys
import threading
import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from carepost.crypto.smime import identity
from carepost.ground import clock, database, durable, home
from carepost.ground.keys import MasterKeyring
from carepost.processes import rotation
from carepost.settings import migrate
from carepost.wire.types import Drained
from tests.crash.journal import Fatal, Killer, enter

GONE, PARTNER, OWN = "gone@partner.test", "bo@partner.test", "nurse@maple.test"


def make(at: Path) -> None:
    made = home.create(at, shards=1, sandbox=True)
    MasterKeyring.create(made.keyring())
    enter(at)
    migrate.migrate(made)
    mailroom, outbox = import_module("tests.support.mailroom"), import_module("tests.support.outbox")
    actor = import_module("carepost.tenancy.permissions").BOOTSTRAP
    org = mailroom.clinic("maple", "maple.test").pk
    import_module("carepost.tenancy.actions.suppression").suppress(org, GONE, actor=actor, reason="bounce")
    own_acts, method = import_module("carepost.keyring.own_acts"), import_module("carepost.policy.types").Method
    own_acts.generate_key(org, OWN, method=method.SMIME, actor=actor, reason="r", algorithm="ec-p256")
    theirs = identity.self_signed(identity.generate("ec-p256"), PARTNER, clock.now() - 60_000_000, days=30)
    import_module("carepost.keyring.acts").add_key(org, PARTNER, theirs.certificate.pem(), actor=actor, reason="r")
    shard = outbox.Engine()
    for _ in range(4):
        message, (delivery,) = shard.accepted(org.bytes)
        shard.sent(org.bytes, message, delivery)
    (at.parent / "outbox").write_bytes(msgspec.msgpack.encode(shard.waiting))


class Change:
    def __init__(self, at: Path, fault: str) -> None:
        self.at, self.killer, self.stage = at, Killer(f"{fault}:1"), "ring"

    def run(self) -> None:
        self.around(durable, "write")
        ring = MasterKeyring.open(home.open_(self.at).keyring())
        if ring.current == 1:
            ring.rotate()
        self.stage = "rekey"
        self.around(database, "rekey")
        rotation.bring(self.at, MasterKeyring.open(home.open_(self.at).keyring()).purposes())
        self.stage = ""
        opened, settings, keys = enter(self.at)
        office = import_module("django.db").connection
        self.around(office, "_commit")
        journal = import_module("carepost.journal.run")
        self.store = journal.open_store(opened, settings, keys)
        book = import_module("carepost.archive.books").book()
        signers = import_module("carepost.journal.signers").signers(book, keys)
        store = Fatal(self.store, self.killer, "commit")
        self.writer = import_module("carepost.journal.commits").Commits(store, book, signers, threading.Event())
        self.org = import_module("carepost.tenancy.select").organisations()[0].pk
        with import_module("carepost.tenancy.scope").every("all of this home is the test's"):
            self.carry_out(keys)
            print(json.dumps(self.found(keys)))

    def around(self, thing: Any, name: str) -> None:
        inner = getattr(thing, name)

        def passing(*words: Any, **named: Any) -> Any:
            self.killer.at(f"{self.stage}.before")
            made = inner(*words, **named)
            self.killer.at(f"{self.stage}.after")
            return made

        setattr(thing, name, passing)

    def carry_out(self, keys: Any) -> None:
        rows = msgspec.msgpack.decode((self.at.parent / "outbox").read_bytes(), type=list[Drained])
        self.log(rows[: len(rows) // 2])
        self.office()
        for purpose in ("index", "signing"):
            self.rotate(purpose)
        self.office()
        self.log(rows)
        self.stage = "retoken"
        places, walking = import_module("carepost.engagement.retokening"), import_module("carepost.tenancy.retokening")
        inner, work = walking.empty, walking.Work(places.PLACES)

        def empty(*words: Any) -> bool:
            self.stage = "empty"
            done: bool = inner(*words)
            return done

        walking.empty = empty
        for _ in range(12):
            work.step()
        self.stage = "rewrap"
        marks = import_module("carepost.archive.marks").Marks(self.store)
        rewrapping = import_module("carepost.journal.rewrapping").Rewrapping(keys, marks)
        for _ in range(12):
            rewrapping.step()
        self.stage = ""
        self.office()

    def rotate(self, purpose: str) -> None:
        """As a person does who looks first whether it was done."""
        models = import_module("carepost.tenancy.models")
        if models.OrgKey.objects.filter(org_id=self.org, purpose=purpose).count() > 1:
            return
        actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
        self.stage = purpose
        import_module("carepost.tenancy.actions.keys").rotate_key(self.org, purpose, actor=actor, reason="yearly")
        self.stage = ""

    def log(self, rows: list[Drained]) -> None:
        taken = import_module("carepost.audit.reader").sources(self.store).get("shard-0001", 0)
        if new := [row for row in rows if row.seq > taken]:
            self.writer.commit(new)

    def office(self) -> None:
        """What stands in the office's outbox; forgotten there once it is in the log."""
        events = import_module("carepost.tenancy.events")
        rows = events.drain(import_module("carepost.audit.reader").sources(self.store).get("office", 0))
        if rows:
            self.writer.commit(rows)
            events.acknowledge(rows[-1].seq)

    def found(self, keys: Any) -> dict[str, Any]:
        reader, verify = import_module("carepost.audit.reader"), import_module("carepost.proof.verify").verify
        books, published = import_module("carepost.archive.books"), import_module("carepost.proof.published")
        org, store = self.org.bytes, self.store
        report = import_module("carepost.audit.verify_log").verify_log(store, opener=books.opener().openings)
        page = published.page([reader.terms(store, org)])
        opener = books.opener().openings
        pairs = store.rows("SELECT message, id FROM archive_delivery")
        texts = [[str(uuid.UUID(str(one))) for one in pair] for pair in pairs]
        proofs = [verify(reader.proof(store, org, *one, opener), None, page).signer for one in texts]
        kinds = [
            json.loads(row[0])["kind"] for row in store.rows("SELECT event FROM audit_leaf WHERE source = 'office'")
        ]
        retokening = import_module("carepost.engagement.retokening")
        tenancy = import_module("carepost.tenancy.retokening")
        suppression = import_module("carepost.tenancy.actions.suppression")
        actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
        select = import_module("carepost.keyring.select")
        models, own = import_module("carepost.tenancy.models"), import_module("carepost.keyring.own_acts")
        private = [len(own.private(row)) > 0 for row in import_module("carepost.keyring.models").OwnKey.objects.all()]
        wanted = import_module("carepost.archive.search").Wanted(subject="panel")
        return {
            "findings": [f.code for r in [report, *report.logs] for f in r.findings],
            "proofs": proofs,
            "versions": sorted(
                [row.purpose, row.version] for row in models.OrgKey.objects.all() if row.purpose in ("index", "signing")
            ),
            "told": {kind: kinds.count(kind) for kind in ("orgkey.rotated", "log.key-introduced", "orgkey.emptied")},
            "log_keys": len(reader.keys(store, org)),
            "behind": len(tenancy.behind(retokening.PLACES, self.org)),
            "wrapped_before": import_module("carepost.tenancy.rewrapping").left(keys.current),
            "suppressed": suppression.known(self.org, suppression.wanted(GONE, "bounce")),
            "partner": len(select.keys_of(self.org, actor, PARTNER)),
            "private": private,
            "searched": len(import_module("carepost.archive.search").search(org, actor, wanted).messages),
        }


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    if verb == "make":
        make(Path(folder))
    else:
        Change(Path(folder), more[0] if more else "").run()
    os._exit(0)
