"""`carepost cold`, inside Django."""

import argparse
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from carepost.cli.office import common, entry
from carepost.cold import targets
from carepost.cold.models import Target
from carepost.cold.s3 import Place
from carepost.ground.errors import ConfigError, NotFound
from carepost.ground.providers.signing import Access

_SAID: Final = {
    "stop": "Nothing more goes there. What lies there is read there.",
    "leave": "The journal brings everything back, and deletes it there; carepost cold show tells how far it is.",
}
_VERSIONS: Final = (
    " The bucket keeps former versions: what is deleted stays there as one. No key opens it any more; let the bucket "
    "remove former versions by a rule of its own."
)


def run(args: argparse.Namespace) -> int:
    if args.verb == "show":
        return entry.show([_row(one) for one in targets.every()], args, "There is no cold store.")
    if args.verb == "set":
        return _set(args)
    if args.verb == "check":
        return _check(args)
    if args.verb == "forget":
        targets.forget(common.identifier(args.id, "a cold store"))
        return entry.done("It is forgotten, and its key with it.", {"id": args.id, "state": "gone"}, args)
    act: Callable[[uuid.UUID | None], Target] = targets.stop if args.verb == "stop" else targets.leave
    row = act(common.identifier(args.id, "a cold store") if args.id else None)
    return entry.done(_SAID[args.verb], _row(row), args)


def _set(args: argparse.Namespace) -> int:
    known = targets.place_of(Target())
    ca = _read(args.ca, "certificate") if args.ca else ""
    place = Place(args.endpoint.rstrip("/"), args.region, args.bucket, args.style, ca, known.sandbox).check()
    access = Access(args.access_key, _read(args.secret_file, "secret").strip())
    versions = targets.tried(place, access)
    row = targets.choose(place, access, args.after_days)
    said = f"Bodies older than {row.days} days go to {place.host}/{row.bucket}, from the journal's next look on."
    return entry.done(said + (_VERSIONS if versions else ""), {**_row(row), "versions": versions}, args)


def _check(args: argparse.Namespace) -> int:
    row = targets.chosen()
    if row is None:
        raise NotFound("No cold store is in use; carepost cold show lists them.")
    versions = targets.tried(targets.place_of(row), targets.access_of(row))
    said = "An object was put, read back and deleted."
    return entry.done(said + (_VERSIONS if versions else ""), {**_row(row), "versions": versions}, args)


def _row(row: Target) -> dict[str, object]:
    return {
        "id": str(row.pk),
        "store": f"{targets.place_of(row).host}/{row.bucket}",
        "state": row.state,
        "after_days": row.days,
        "objects": targets.held(row),
        "answered": common.moment(row.seen_at),
        "fault": targets.words(row.fault) if row.fault else "",
    }


def _read(name: str, what: str) -> str:
    try:
        return sys.stdin.readline() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The file of the {what}, {name}, cannot be read.") from None
