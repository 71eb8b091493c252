"""`carepost certificate`, inside Django."""

import argparse
import json
import sys
import uuid
from pathlib import Path

from carepost.cli.office import common, entry
from carepost.ground import clock
from carepost.ground.errors import ConfigError
from carepost.keyring import acts, batch, looking, renewal, select, words
from carepost.keyring.acts import Imported
from carepost.keyring.reading import MOST_BYTES
from carepost.keyring.select import Shown
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire.found import SOURCES

_DONE = {
    "added": "added",
    "replaces": "replaces another",
    "known": "known already",
    "refused": "refused",
}


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return _list(org, args)
    if args.verb == "import":
        return _import(org, args)
    if args.verb in _SOURCES:
        return _SOURCES[args.verb](org, args)
    if args.verb == "add":
        row = acts.add_key(org, args.address, _read(args.file), actor=COMMAND_LINE, reason=args.reason)
        kept = acts.opened(row)
        until = f", until {common.day(row.not_after)}" if row.not_after else ""
        sentence = (
            f"Mail for {kept.address} can be encrypted by {words.method(row.method)} from now on{until}.\n"
            f"Fingerprint: {words.grouped(kept.fingerprint)}"
        )
        result = {
            "id": str(row.pk), "address": kept.address, "method": row.method, "fingerprint": kept.fingerprint,
            "until": common.day(row.not_after),
        }  # fmt: skip
        return entry.done(sentence, result, args)
    key = common.identifier(args.id, "a certificate")
    if args.verb == "accept-renewed":
        renewal.accept(org, key, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("The renewed certificate is used from now on.", {"id": str(key), "renewed": True}, args)
    if args.verb == "pin":
        acts.pin_key(org, key, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("It is used from now on.", {"id": str(key), "pinned": True}, args)
    acts.distrust_key(org, key, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Nothing is encrypted to it any more.", {"id": str(key), "distrusted": True}, args)


def _list(org: uuid.UUID, args: argparse.Namespace) -> int:
    if not 0 < args.limit <= acts.MOST:
        raise ConfigError(f"--limit is a number from 1 to {acts.MOST}.")
    if args.address:
        found, cursor = select.keys_of(org, COMMAND_LINE, args.address), ""
    else:
        page = select.listing(org, COMMAND_LINE, after=args.after, limit=args.limit, attention=args.attention)
        found, cursor = page.keys, page.cursor
    entry.show([_row(key) for key in found], args, "No certificate of a recipient is known.")
    if cursor:
        print(f"carepost: there are more; go on with --after {cursor}", file=sys.stderr)
    return 0


def _row(key: Shown) -> dict[str, object]:
    return {
        "id": key.id,
        "address": key.address,
        "method": words.method(key.method),
        "state": words.mark(key.state, key.not_after, clock.now()).word + (", but renewed" if key.renews else ""),
        "until": common.day(key.not_after) or "no end",
        "since": common.day(key.found_at),
        "from": words.source(key.source),
        "fingerprint": key.fingerprint.upper(),
    }


def _import(org: uuid.UUID, args: argparse.Namespace) -> int:
    lines, unnamed = _gathered(Path(args.source))
    told = acts.import_keys(org, lines, actor=COMMAND_LINE, reason=args.reason, dry_run=args.dry_run) + unnamed
    rows = [_told(one) for one in told]
    refused = sum(one.done == "refused" for one in told)
    if args.json:
        print(json.dumps({"dry_run": args.dry_run, "lines": rows}, indent=2))
    else:
        entry.show(rows, args, "There is no certificate to import.")
        good = len(told) - refused
        ends = "Nothing was changed: this was a dry run." if args.dry_run else "They are used from now on."
        print(f"\n{good} in order, {refused} refused. {ends if good or args.dry_run else 'Nothing was changed.'}")
    return 1 if refused else 0


def _told(one: Imported) -> dict[str, object]:
    return {
        "address": one.address,
        "result": _DONE[one.done],
        "method": words.method(one.method),
        "until": common.day(one.not_after),
        "why": one.why,
    }


def _gathered(source: Path) -> tuple[list[tuple[str, bytes]], list[Imported]]:
    """(address, file) of each, and what is refused before: its name says no address, or it cannot be read."""
    lines: list[tuple[str, bytes]] = []
    refused: list[Imported] = []
    for address, file in _pairs(source):
        if not address:
            refused.append(Imported(file.name, "refused", batch.UNNAMED))
            continue
        try:
            with file.open("rb") as opened:
                lines.append((address, opened.read(MOST_BYTES + 1)))
        except (OSError, ValueError):
            refused.append(Imported(address, "refused", f"The file {file.name} is not there or cannot be read."))
    return lines, refused


def _pairs(source: Path) -> list[tuple[str, Path]]:
    """(address, file); the address is "" where the name of the file says none."""
    if source.is_dir():
        files = [file for file in source.iterdir() if file.is_file() and not file.name.startswith(".")]
        found = [(batch.address_of(file.name), file) for file in sorted(files)]
    else:
        table = batch.table(_read(str(source), batch.MOST_TABLE))
        found = [(address, source.parent / file) for address, file in table]
    if len(found) > acts.MOST:
        raise ConfigError(f"{source} holds more than {acts.MOST} certificates; import it in parts.")
    return found


def _read(name: str, most: int = MOST_BYTES) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(most + 1)
        with Path(name).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None


def _sources(org: uuid.UUID, args: argparse.Namespace) -> int:
    known = looking.looking(org, COMMAND_LINE)
    rows: list[dict[str, object]] = [
        {"kind": "source", "name": name, "id": "", "used": name in known.sources, "until": ""} for name in SOURCES
    ]
    rows.append({"kind": "unknown revocation", "name": "use", "id": "", "used": known.unknown_ok, "until": ""})
    rows += [
        {"kind": "authority", "name": one.name, "id": one.id, "used": True, "until": common.day(one.not_after)}
        for one in known.authorities
    ]
    return entry.show(rows, args, "")


def _set_sources(org: uuid.UUID, args: argparse.Namespace) -> int:
    looking.choose(org, args.sources, unknown_ok=args.unknown_ok, actor=COMMAND_LINE, reason=args.reason)
    said = f"Keys are looked for by: {', '.join(args.sources)}." if args.sources else "Keys are looked for nowhere."
    return entry.done(said, {"sources": args.sources, "unknown_ok": args.unknown_ok}, args)


def _believe(org: uuid.UUID, args: argparse.Namespace) -> int:
    made = looking.believe(org, _read(args.file), actor=COMMAND_LINE, reason=args.reason)
    rows = [{"id": str(row.pk), "name": row.name, "fingerprint": row.fingerprint} for row in made]
    said = "\n".join(f"Believed from now on: {row.name}\nFingerprint: {words.grouped(row.fingerprint)}" for row in made)
    return entry.done(said, {"authorities": rows}, args)


def _disbelieve(org: uuid.UUID, args: argparse.Namespace) -> int:
    looking.disbelieve(org, common.identifier(args.id, "an authority"), actor=COMMAND_LINE, reason=args.reason)
    return entry.done("It is believed no more.", {"id": args.id, "believed": False}, args)


_SOURCES = {"sources": _sources, "set-sources": _set_sources, "believe": _believe, "disbelieve": _disbelieve}
