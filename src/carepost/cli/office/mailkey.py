"""`carepost mailkey`, inside Django."""

import argparse
import getpass
import sys
import uuid
from pathlib import Path

from carepost.cli.office import common, entry
from carepost.ground import clock, durable
from carepost.ground.errors import ConfigError
from carepost.keyring import own_acts, own_select, words
from carepost.keyring.models import OwnKey
from carepost.keyring.own_making import MOST_BYTES
from carepost.keyring.own_select import OwnShown
from carepost.policy.types import Method
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return _list(org, args)
    if args.verb == "add":
        row = own_acts.generate_key(
            org, args.address, method=Method(args.method), actor=COMMAND_LINE, reason=args.reason, shared=args.shared,
            algorithm=args.algorithm, name=args.name, days=args.days, waiting=args.request, always=args.sign_all,
            overlap=args.overlap,
        )  # fmt: skip
        return _made(row, args)
    if args.verb == "import":
        return _import(org, args)
    key = common.identifier(args.id, "a key")
    if args.verb == "export":
        return _export(org, key, args)
    return _change(org, key, args)


def _change(org: uuid.UUID, key: uuid.UUID, args: argparse.Namespace) -> int:
    by = {"actor": COMMAND_LINE, "reason": args.reason}
    if args.verb == "install":
        row = own_acts.install_certificate(org, key, _read(args.file), overlap=args.overlap, **by)
        return _made(row, args)
    if args.verb == "rotate":
        row = own_acts.rotate_key(
            org, key, algorithm=args.algorithm, days=args.days, waiting=args.request, overlap=args.overlap, **by
        )
        return _made(row, args)
    if args.verb == "revoke":
        row = own_acts.revoke_key(org, key, cause=args.cause, **by)
        if row.method == Method.SMIME.value:
            words_ = (
                "It signs and opens nothing any more. The list of our own authority says so, where that made its "
                "certificate; tell any other."
            )
        else:
            words_ = "It signs and opens nothing any more. Publish its revocation: carepost mailkey export " + str(key)
        return entry.done(words_, {"id": str(key), "revoked": True}, args)
    own_acts.set_always(org, key, not args.off, **by)
    sentence = "It signs encrypted mail only." if args.off else "It signs all mail from now on."
    return entry.done(sentence, {"id": str(key), "sign_all": not args.off}, args)


def _made(row: OwnKey, args: argparse.Namespace) -> int:
    kept = own_acts.opened(row)
    result = {
        "id": str(row.pk), "address": kept.address, "method": row.method, "algorithm": row.algorithm,
        "state": row.state, "fingerprint": kept.fingerprint, "until": _day(row.not_after),
    }  # fmt: skip
    if row.state == own_acts.WAITING:
        sentence = f"The key waits for its certificate. Its request: carepost mailkey export {row.pk} --request"
    else:
        until = f", until {_day(row.not_after)}" if row.not_after else ""
        sentence = (
            f"{words.method(row.method)} for {kept.address}: it is used from now on{until}.\n"
            f"Fingerprint: {words.grouped(kept.fingerprint)}"
        )
    return entry.done(sentence, result, args)


def _import(org: uuid.UUID, args: argparse.Namespace) -> int:
    data = _read(args.file)
    taken = own_acts.import_key(
        org, data, _passphrase(args), actor=COMMAND_LINE, reason=args.reason, address=args.address,
        shared=args.shared, former=args.former, always=args.sign_all, dry_run=args.dry_run, overlap=args.overlap,
    )  # fmt: skip
    does = " and ".join(word for word, holds in (("signs", taken.signs), ("opens", taken.decrypts)) if holds)
    begin = "It would be taken" if args.dry_run else "It is used from now on"
    instead = f" Another that signs now would only open from then on ({taken.replaces})." if taken.replaces else ""
    sentence = (
        f"{begin}: {words.method(taken.method)}, {taken.algorithm}, for {taken.address}; it {does}"
        f"{', until ' + _day(taken.not_after) if taken.not_after else ''}.{instead if args.dry_run else ''}\n"
        f"Fingerprint: {words.grouped(taken.fingerprint)}"
    )
    result = {
        "id": taken.id, "dry_run": args.dry_run, "address": taken.address, "method": taken.method,
        "fingerprint": taken.fingerprint, "signs": taken.signs, "opens": taken.decrypts, "until": _day(taken.not_after),
        "replaces": taken.replaces,
    }  # fmt: skip
    return entry.done(sentence, result, args)


def _passphrase(args: argparse.Namespace) -> str:
    if args.passphrase_file:
        return _read(args.passphrase_file).decode("utf-8", "replace").rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase of the file: ")
    raise ConfigError("Say where the passphrase of the file stands: --passphrase-file FILE (an empty file for none).")


def _export(org: uuid.UUID, key: uuid.UUID, args: argparse.Namespace) -> int:
    part = own_select.REQUEST if args.request else own_select.CERTIFICATE
    found = own_select.public_part(org, COMMAND_LINE, key, part)
    if args.output is None:
        sys.stdout.buffer.write(found.data)
        return 0
    durable.write(Path(args.output), found.data)
    return entry.done(f"Written to {args.output}.", {"id": str(key), "file": args.output}, args)


def _list(org: uuid.UUID, args: argparse.Namespace) -> int:
    if not 0 < args.limit <= 5_000:
        raise ConfigError("--limit is a number from 1 to 5000.")
    page = own_select.own_keys(org, COMMAND_LINE, after=args.after, limit=args.limit)
    entry.show([_row(key) for key in page.keys], args, "There is no key of the organisation yet.")
    if page.cursor:
        print(f"carepost: there are more; go on with --after {page.cursor}", file=sys.stderr)
    return 0


def _row(key: OwnShown) -> dict[str, object]:
    return {
        "id": key.id,
        "owner": "organisation" if key.shared else "address",
        "address": key.address,
        "method": words.method(key.method),
        "kind": key.algorithm,
        "state": own_select.mark(key, clock.now()).word,
        "signs": "all mail" if key.always else "encrypted mail" if key.signs and key.state == own_acts.ACTIVE else "no",
        "until": _day(key.not_after) or "no end",
        "opens_until": _day(key.until) if key.state == own_acts.RETIRED and key.until else "",
        "used": _day(key.used_at),
        "fingerprint": key.fingerprint.upper(),
    }


def _read(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None


def _day(us: int) -> str:
    return clock.rfc3339(us)[:10] if us else ""
