"""A change of every key, to be killed: the master key and every key of the organisation, of a real home with rows in
every table that follows, with what the journal does of it.

python keychange.py HOME make [URL]      the home: mail on record, somebody in the portal, keys of every kind;
                                         its tables in PostgreSQL where a URL of their owner's is given
python keychange.py HOME die             for each commit a process that goes on where the last one died, and dies by
                                         SIGKILL before it, and another that dies after it; prints what was passed by
python keychange.py HOME run             goes on to the end, and prints what stands there, as JSON"""

import copy
import json
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from carepost.crypto.smime import identity
from carepost.ground import clock, config, database, durable, home
from carepost.ground.keys import MasterKeyring
from carepost.processes import rotation
from carepost.settings import migrate
from carepost.wire.types import Drained
from tests.crash import journal as crashing
from tests.crash.journal import Fatal, Killer, append, lines

GONE, PARTNER, OWN, JANE = "gone@partner.test", "bo@partner.test", "nurse@maple.test", "jane.quillfeather@patient.test"
#: those that are changed by an act; what each opened before must open after
PURPOSES = ("content", "evidence", "portal", "index", "signing")


def on_postgres(at: Path) -> bool:
    return bool(config.load(at, {}).database_url)


def enter(at: Path) -> Any:
    """As the journal; on PostgreSQL as the owner of the tables, because what staff do is done here too."""
    return crashing.enter(at, "migrate" if on_postgres(at) else "journal")


def make(at: Path, url: str = "") -> None:
    made = home.create(at, shards=1, sandbox=True)
    if url:
        (at / "carepost.toml").write_text(f"database_url = {json.dumps(url)}\n")
    MasterKeyring.create(made.keyring())
    enter(at)
    migrate.migrate(made)
    mailroom, outbox = import_module("tests.support.mailroom"), import_module("tests.support.outbox")
    permissions, keys = import_module("carepost.tenancy.permissions"), import_module("carepost.tenancy.keys")
    actor = permissions.BOOTSTRAP
    clinic = mailroom.clinic("maple", "maple.test")
    org = clinic.pk
    import_module("carepost.tenancy.actions.suppression").suppress(org, GONE, actor=actor, reason="bounce")
    own_acts, method = import_module("carepost.keyring.own_acts"), import_module("carepost.policy.types").Method
    own_acts.generate_key(org, OWN, method=method.SMIME, actor=actor, reason="r", algorithm="ec-p256")
    authorities = import_module("carepost.keyring.authorities")
    authorities.make_authority(org, actor=permissions.COMMAND_LINE, reason="r", algorithm="ec-p384")
    theirs = identity.self_signed(identity.generate("ec-p256"), PARTNER, clock.now() - 60_000_000, days=30)
    import_module("carepost.keyring.acts").add_key(org, PARTNER, theirs.certificate.pem(), actor=actor, reason="r")
    shard = outbox.Engine()
    for _ in range(4):
        message, (delivery,) = shard.accepted(org.bytes)
        shard.sent(org.bytes, message, delivery)
    (at.parent / "outbox").write_bytes(msgspec.msgpack.encode(shard.waiting))
    with import_module("carepost.tenancy.scope").every("all of this home is the test's"):
        row = mailroom.lay(clinic)
        people, within = import_module("carepost.mailbox.people"), import_module("carepost.mailbox.within").within
        with within(org.bytes):
            (at.parent / "address").write_text(people.reply_to(org, row.thread_id, "portal@maple.test"))
        token = import_module("carepost.crypto.index").token(keys.version(org, "index", 1), "domain", "patient.test")
        import_module("carepost.engagement.models").Copy.objects.create(
            org_id=org, delivery=uuid.UUID(bytes=delivery), domain=token, under=1
        )
        cold = import_module("carepost.cold.models")
        bucket = cold.Target(endpoint="https://s3.test", region="r", bucket="carepost", access="k", days=30)
        bucket.wrapped = keys.purposes().wrap("portal", b"bucket secret", cold.secret_aad(bucket.pk.bytes))
        bucket.save(force_insert=True)


class Once:
    """Dies at every point at which nobody died before."""

    def __init__(self, at: Path) -> None:
        self._path = at.parent / "died"
        self._known = set(lines(self._path))

    def at(self, point: str) -> None:
        if point not in self._known:
            append(self._path, point)
            os.kill(os.getpid(), signal.SIGKILL)


class Change:
    """One process's part of it."""

    def __init__(self, at: Path, *, spared: bool = False) -> None:
        """`spared`: nobody kills it."""
        self.at, self.stage = at, ""
        self.killer: Any = Killer("") if spared else Once(at)

    def master(self) -> None:
        """As `carepost keyring rotate` and the next start do, while nothing has the files open."""
        self.around(durable, "write", "ring")
        ring = MasterKeyring.open(home.open_(self.at).keyring())
        if ring.current == 1:
            ring.rotate()
        self.around(database, "rekey", "rekey-{0.name}")
        rotation.bring(self.at, MasterKeyring.open(home.open_(self.at).keyring()).purposes())

    def others(self, opened: Any, settings: Any, keys: Any) -> None:
        """As the running house does. What is given: as `enter` gave it."""
        self.around(import_module("django.db").connection, "_commit")
        journal = import_module("carepost.journal.run")
        self.store = journal.open_store(opened, settings, keys)
        book = import_module("carepost.archive.books").book()
        signers = import_module("carepost.journal.signers").signers(book, keys)
        # of its own kind: who writes asks which database it is
        store = copy.copy(self.store)
        store.writing = Fatal(self.store, self.killer, "commit").writing
        self.writer = import_module("carepost.journal.commits").Commits(store, book, signers, threading.Event())
        self.org = import_module("carepost.tenancy.select").organisations()[0].pk
        with import_module("carepost.tenancy.scope").every("all of this home is the test's"):
            self.carry_out(keys)

    def around(self, thing: Any, name: str, stage: str = "") -> None:
        inner = getattr(thing, name)

        def passing(*words: Any, **named: Any) -> Any:
            # the stage of a commit is that of its beginning
            name = stage.format(*words) if stage else self.stage
            self.killer.at(f"{name}.before")
            made = inner(*words, **named)
            self.killer.at(f"{name}.after")
            return made

        setattr(thing, name, passing)

    def naming(self, inner: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """`inner`, and what is committed next is of this stage."""

        def named(*words: Any) -> Any:
            self.stage = stage
            return inner(*words)

        return named

    @contextmanager
    def called(self, stage: str) -> Any:
        self.stage = stage
        yield
        self.stage = ""

    def carry_out(self, keys: Any) -> None:
        rows = msgspec.msgpack.decode((self.at.parent / "outbox").read_bytes(), type=list[Drained])
        self.log(rows[: len(rows) // 2])
        self.office()
        for purpose in PURPOSES:
            self.rotate(purpose)
        self.office()
        self.log(rows)
        places, walking = import_module("carepost.engagement.retokening"), import_module("carepost.tenancy.retokening")
        real = walking.empty
        walking.empty = lambda *words: self.naming(real, f"empty-{words[3]}")(*words)
        work = walking.Work([one._replace(move=self.naming(one.move, moved(one))) for one in places.PLACES])
        for _ in range(30):
            work.step()
            self.stage = ""
        rewrapping = import_module("carepost.tenancy.rewrapping")
        rewrapping.PLACES[:] = [
            one._replace(purpose=self.naming(one.purpose, wrapped(one))) for one in rewrapping.PLACES
        ]
        marks = import_module("carepost.archive.marks").Marks(self.store)
        walk = import_module("carepost.journal.rewrapping").Rewrapping(keys, marks)
        for _ in range(20):
            walk.step()
            self.stage = ""
        self.office()

    def rotate(self, purpose: str) -> None:
        """As a person does who looks first whether it was done."""
        models = import_module("carepost.tenancy.models")
        if models.OrgKey.objects.filter(org_id=self.org, purpose=purpose).count() > 1:
            return
        actor = import_module("carepost.tenancy.permissions").COMMAND_LINE
        with self.called(purpose):
            import_module("carepost.tenancy.actions.keys").rotate_key(self.org, purpose, actor=actor, reason="yearly")

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


def moved(place: Any) -> str:
    return f"follows-{place.table._meta.db_table}"


def wrapped(place: Any) -> str:
    return f"wrapped-{place.table._meta.db_table}"


def expected(at: Path) -> set[str]:
    """Every table that follows, or is wrapped, is one; a file that is encrypted is one where there is one."""
    followed, wraps = import_module("carepost.engagement.retokening"), import_module("carepost.tenancy.rewrapping")
    purposes = import_module("carepost.tenancy.retokening").PURPOSES
    files = () if on_postgres(at) else rotation.FILES
    return {
        "ring", *[f"rekey-{name}" for name in files], "commit", *PURPOSES, *map(moved, followed.PLACES),
        *[f"empty-{one}" for one in purposes], *map(wrapped, wraps.PLACES),
    }  # fmt: skip


def apart(work: Callable[[], None]) -> int:
    """In a process of its own: how it ended, as `os.waitstatus_to_exitcode` says."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def until_spared(work: Callable[[], None]) -> int:
    """One process after the other, a bounded number: how the first ended that was not killed."""
    for _ in range(200):
        ended = apart(work)
        if ended != -signal.SIGKILL:
            return ended
    raise AssertionError("it never comes to an end")


def die(at: Path) -> dict[str, Any]:
    """The master key's first: this process can open the home only once they are over."""
    ended = [until_spared(lambda: Change(at).master())]
    given = enter(at)
    ended.append(until_spared(lambda: Change(at).others(*given)))
    died = set(lines(at.parent / "died"))
    missing = {f"{one}.{side}" for one in expected(at) for side in ("before", "after")} - died
    return {"ended": ended, "missing": sorted(missing), "died": len(died)}


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    if verb == "make":
        make(Path(folder), *more)
    elif verb == "die":
        print(json.dumps(die(Path(folder))))
    else:
        last = Change(Path(folder), spared=True)
        last.master()
        entered = enter(Path(folder))
        last.others(*entered)
        found = import_module("tests.crash.keychange_found")
        with import_module("carepost.tenancy.scope").every("all of this home is the test's"):
            print(json.dumps(found.found(Path(folder), last.store, last.org, entered[2])))
    sys.stdout.flush()
    os._exit(0)
