"""A journal that does jobs, to be killed: history of a real home; a file in place of an engine.

python jobs.py HOME make COUNT        a home with COUNT messages, a job that takes all of them back and one that exports
python jobs.py HOME run [FAULT]       FAULT: point:number, SIGKILL at the so-many-th passing of the point

Where it is not killed, `run` ends with what stands there then, as JSON. The file `acted` in HOME's parent holds each
act an engine carried out, synced as it is written."""

import json
import sys
import threading
import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.ground import home
from carepost.ground.keys import MasterKeyring
from carepost.settings import migrate
from tests.crash.journal import Killer, append, enter, lines

PAGE = 2


def make(at: Path, count: int) -> None:
    made = home.create(at, shards=1, sandbox=True)
    MasterKeyring.create(made.keyring())
    opened, settings, keys = enter(at)
    migrate.migrate(made)
    mailroom, outbox = import_module("tests.support.mailroom"), import_module("tests.support.outbox")
    journal, commits = import_module("carepost.journal.run"), import_module("carepost.journal.commits")
    books, signers = import_module("carepost.archive.books"), import_module("carepost.journal.signers")
    org = mailroom.clinic("maple", "maple.test").pk
    shard = outbox.Engine()
    for number in range(count):
        shard.accepted(org.bytes, (f"person{number}@patient.test",), tags=("recall",))
    store = journal.open_store(opened, settings, keys)
    writer = commits.Commits(store, books.book(), signers.signers(books.book(), keys), threading.Event())
    writer.commit(shard.waiting)
    access, permissions = (
        import_module("carepost.tenancy.actions.access"),
        import_module("carepost.tenancy.permissions"),
    )
    wire, types, acts = (import_module(f"carepost.{name}") for name in ("wire.types", "jobs.types", "jobs.acts"))
    wanted = import_module("carepost.archive.search").Wanted
    scopes = ("jobs", "search", "messages", "retract")
    actor = wire.Actor("key", access.add_key(org, "machine", scopes, actor=permissions.BOOTSTRAP).id)
    acts.begin(org, types.Kind.RETRACT, types.Asked(wanted(tag="recall"), "wrong batch"), actor=actor)
    acts.begin(org, types.Kind.MESSAGES, types.Asked(), actor=actor)
    (at.parent / "actor").write_text(f"{org} {actor.id}")


class Doors:
    """An engine that takes back what is still waiting, and says so of what it took back before."""

    def __init__(self, folder: Path, killer: Killer) -> None:
        self._file, self._killer = folder / "acted", killer

    def act(self, verb: str, _org: bytes, deliveries: tuple[bytes, ...], *_: Any) -> dict[str, str]:
        self._killer.at("act.lost")
        done, answer = set(lines(self._file)), {}
        for one in deliveries:
            answer[str(uuid.UUID(bytes=one))] = "not-possible" if one.hex() in done else "retracted"
            if one.hex() not in done:
                append(self._file, one.hex())
        self._killer.at("act.landed")
        return answer


def run(at: Path, fault: str) -> None:
    enter(at)
    work: Any = import_module("carepost.jobs.work")
    engine: Any = import_module("carepost.archive.engine")
    models, acts = import_module("carepost.jobs.models"), import_module("carepost.jobs.acts")
    scope, wire = import_module("carepost.tenancy.scope"), import_module("carepost.wire.types")
    killer = Killer(fault)
    doors, save, kept = Doors(at.parent, killer), work._save, models.Piece.save

    def saved(*given: Any) -> None:
        save(*given)
        killer.at("save.landed")

    def piece(row: Any, **options: Any) -> None:
        # inside the transaction: what it wrote so far must not stay
        kept(row, **options)
        killer.at("save.lost")

    engine.client, work._save, models.Piece.save, work.PAGE = lambda: doors, saved, piece, PAGE
    doing = work.Work(threading.Event())
    while doing.step(import_module("carepost.ground.clock").now()):
        pass
    org, key = (at.parent / "actor").read_text().split()
    actor = wire.Actor("key", key)
    with scope.organisation(uuid.UUID(org)):
        jobs = {row.kind: row for row in models.Job.objects.filter(org_id=org)}
    _, pieces = acts.access_result(uuid.UUID(org), jobs["export-messages"].pk, actor=actor)
    exported = [json.loads(line)["id"] for line in b"".join(pieces).splitlines()]
    print(
        json.dumps(
            {
                "states": sorted(row.state for row in jobs.values()),
                "exported": exported,
                "acted": lines(at.parent / "acted"),
                "seen": {kind: row.seen for kind, row in jobs.items()},
            }
        )
    )


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    if verb == "make":
        make(Path(folder), int(more[0]))
    else:
        run(Path(folder), more[0] if more else "")
