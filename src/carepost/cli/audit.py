"""`carepost audit verify`: the whole log against itself and against checkpoints kept elsewhere, on a stopped or a
running home; `carepost audit checkpoint`: the latest checkpoints, to be kept elsewhere. Reads only."""

import argparse
import importlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from carepost.audit import reader
from carepost.audit.findings import Finding, Report
from carepost.audit.store import PostgresStore, SqliteStore, Store
from carepost.audit.verify_log import outside, verify_log
from carepost.audit.walk import Outside
from carepost.cli.main import home_argument, home_path
from carepost.crypto.rest import Damaged
from carepost.directory import Source
from carepost.directory import sqlite as embedded
from carepost.directory.types import OrgSnapshot
from carepost.ground import config, database, home, ids, postgres, storefaults
from carepost.ground.errors import ConfigError, NotFound, Unavailable
from carepost.ground.keys import MasterKeyring, PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.proof import file, openings, published
from carepost.proof.event import Event
from carepost.proof.note import NoteError, VerifierKey
from carepost.queue.sealing import month_key

HELP = "verify the audit log"
#: the office's outbox, as its events name it
OFFICE: Final = "office"
#: seconds one statement of PostgreSQL may take, and wait for a lock
_STATEMENT: Final = 600
_LOCK: Final = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verify = verbs.add_parser("verify", help="check every event, hash, number and checkpoint")
    verify.add_argument(
        "--checkpoint", metavar="FILE", action="append", default=[],
        help="a checkpoint or a proof file kept elsewhere; may be given several times",
    )  # fmt: skip
    verify.add_argument(
        "--key", metavar="FILE", help="log keys as /.well-known/carepost-log published them, now or earlier"
    )
    checkpoint = verbs.add_parser("checkpoint", help="print the latest signed checkpoint, to be kept elsewhere")
    for verb in (verify, checkpoint):
        home_argument(verb)
        verb.add_argument("--org", metavar="ORG", help="one organisation, by name or id (default: all)")
        verb.add_argument("--json", action="store_true", help="the answer as JSON")
    parser.epilog = "Exit status: 0 the log holds, 1 it does not, 2 the command was not understood."


def run(args: argparse.Namespace) -> int:
    opened = _Opened(home_path(args))
    try:
        org = opened.organisation(args.org) if args.org else None
        if args.verb == "checkpoint":
            return _checkpoint(opened.store, org, args.json)
        kept = [_kept(Path(name)) for name in args.checkpoint]
        known = _known(Path(args.key)) if args.key else []
        try:
            report = verify_log(opened.store, kept, org, opened.openings, known)
        except opened.failures as error:
            fault = storefaults.told(error)
            if fault is not None and fault.code != storefaults.DAMAGED:
                # a server that is away or a locked file says nothing of the log
                raise fault from None
            words = "the database cannot be read to its end: it is damaged; restore it from a backup"
            report = Report([], [Finding("unreadable", words)])
    finally:
        opened.close()
    print(_json(report) if args.json else "\n".join(_lines(report)))
    return 0 if report.ok else 1


class _Opened:
    """The log's store, and the keys that open what is sealed beside it."""

    def __init__(self, path: Path) -> None:
        self._home = home.open_(path)
        self._config = config.load(path, os.environ)
        keyring = MasterKeyring.open(self._home.keyring())
        keys = keyring.purposes("database", "evidence")
        self._org_keys = OrgKeys(keys)
        self._snapshots: dict[bytes, OrgSnapshot] = {}
        self.failures: tuple[type[Exception], ...] = (database.DatabaseError,)
        self._connection: Any
        self.store: Store
        if self._config.database_url:
            self._postgres(self._config.database_url, keys)
        else:
            self._embedded(keys)

    def _embedded(self, keys: PurposeKeys) -> None:
        if not self._home.records_db.exists():
            raise ConfigError(f"{self._home.path} has no log yet; start it once with: carepost up")
        raw = keys.raw("database", b"records.db")
        self._connection = database.connect(self._home.records_db, raw, readonly=True)
        self.store = SqliteStore(self._connection)
        self._source: Source = embedded.source(self._home.office_db, keys)

    def _postgres(self, url: str, keys: PurposeKeys) -> None:
        try:
            psycopg = importlib.import_module("psycopg")
            office = importlib.import_module("carepost.directory.postgres")
        except ImportError:
            raise ConfigError("CAREPOST_DATABASE_URL needs psycopg: install carepost[postgres].") from None
        try:
            self._connection = psycopg.connect(url, autocommit=True, **postgres.PATIENCE)
            for bound in postgres.bounds(_STATEMENT, _LOCK):
                self._connection.execute(bound)
        except psycopg.OperationalError as error:
            words = "The database of CAREPOST_DATABASE_URL does not answer; start it, or correct the setting."
            raise storefaults.told(error) or ConfigError(words) from None
        self.failures = (psycopg.Error,)
        self.store = PostgresStore(self._connection)
        self._source = office.source(url, keys)

    def close(self) -> None:
        self._source.close()
        self._connection.close()

    def organisation(self, named: str) -> bytes:
        try:
            return uuid.UUID(named).bytes
        except ValueError:
            pass
        found = [org for org in self._source.epochs() if named in (self._snapshot(org).slug, self._snapshot(org).name)]
        if len(found) != 1:
            raise ConfigError(f"There is no organisation {named!r}, or more than one; give its id with --org.")
        return found[0]

    def openings(self, org: bytes, event: Event, sealed: bytes) -> Mapping[str, tuple[bytes, bytes]]:
        """A `reader.Opener`. Raises Damaged; NotFound and Unavailable where the key is not at hand."""
        version = openings.key_version(sealed)
        wrapped = self._snapshot(org).key("evidence", version)
        if wrapped is None:
            raise NotFound
        key = self._org_keys.open(org, "evidence", version, wrapped)
        try:
            return openings.open_(month_key(key, event.at), org, event.id, sealed)
        except Damaged:
            if event.source != OFFICE:
                raise
        # the office seals under the organisation's evidence key itself, which is changed every month there
        return openings.open_(key, org, event.id, sealed)

    def _snapshot(self, org: bytes) -> OrgSnapshot:
        found = self._snapshots.get(org)
        if found is None:
            try:
                found = self._snapshots[org] = self._source.load(org).snapshot
            except self.failures:
                raise Unavailable("office-unreadable", "The office database cannot be read.") from None
        return found


def _kept(path: Path) -> Outside:
    """A signed note, or the checkpoint inside a proof file."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file that can.") from None
    try:
        if raw.startswith(b"{"):
            raw = file.read(raw).checkpoint.encode()
        return outside(raw)
    except (NoteError, file.ProofError) as error:
        raise ConfigError(f"{path} is neither a checkpoint nor a proof file: {error}.") from None


def _known(path: Path) -> list[VerifierKey]:
    try:
        return [one.key for one in published.read(path.read_text())]
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a file that can.") from None
    except (NoteError, UnicodeDecodeError):
        words = "holds no keys of a log; save the page /.well-known/carepost-log."
        raise ConfigError(f"{path} {words}") from None


def _checkpoint(store: Store, org: bytes | None, as_json: bool) -> int:
    orgs = reader.organisations(store) if org is None else [org]
    points = [(one, reader.checkpoint(store, one)) for one in orgs]
    notes = {ids.text(one): point.note.decode() for one, point in points if point is not None}
    if not notes:
        raise NotFound("There is no checkpoint yet: nothing has happened.")
    print(msgspec.json.format(msgspec.json.encode(notes), indent=1).decode() if as_json else "\n".join(notes.values()))
    return 0


def _json(report: Report) -> str:
    answer = {
        "ok": report.ok,
        "words": report.words(),
        "compared_with_outside": report.outside,
        "logs": report.logs,
        "findings": report.findings,
    }
    return msgspec.json.format(msgspec.json.encode(answer), indent=1).decode()


def _lines(report: Report) -> list[str]:
    lines = []
    for log in report.logs:
        lines.append(f"carepost/{log.org}: {log.size} events, {log.checkpoints} checkpoints")
        if log.outside:
            sizes = ", ".join(map(str, log.outside))
            lines.append(f"  contains what was seen from elsewhere at {sizes} events")
        if log.past_retention:
            lines.append(f"  {log.past_retention} events are past retention: only their hashes stand")
        if log.unopened:
            lines.append(f"  what is sealed beside {log.unopened} events was not looked into: its key is not at hand")
        lines += [f"  FAILED {finding.code}: {finding.words}" for finding in log.findings]
    lines += [f"FAILED {finding.code}: {finding.words}" for finding in report.findings]
    return [*lines, report.words()]
