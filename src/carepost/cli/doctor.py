"""`carepost doctor`: looks at an installation, says what is well, what is not, and how to mend it. Changes nothing."""

import argparse
from collections.abc import Callable, Iterator

import msgspec

from carepost.cli import local
from carepost.cli.checks import house, machine, scanner, tables
from carepost.cli.checks.finding import Finding, failed
from carepost.cli.local import Local
from carepost.ground import storefaults

#: days after which the last backup is too old
BACKUP_DAYS = 7

_CHECKS: tuple[Callable[[Local], Iterator[Finding]], ...] = (
    machine.keyring, machine.private, machine.certificates, machine.disk, machine.time, machine.resolvers,
    machine.ports, scanner.scanner, house.databases, tables.tables, house.office, house.rules, house.engines,
    house.queues, house.journal, house.store, house.keys,
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    local.add_arguments(parser)
    parser.add_argument(
        "--backup-days", type=int, default=BACKUP_DAYS, metavar="N", help="how old the last backup may be (default 7)"
    )
    parser.epilog = "Exit status: 0 nothing failed, 1 something did."


def run(args: argparse.Namespace) -> int:
    here = Local.of(args)
    found = [one for check in _CHECKS for one in _looked(check, here)]
    found += house.backups(here, args.backup_days)
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        for one in found:
            print(f"{one.state:<10} {one.what}" + (f"\n           -> {one.mend}" if one.mend else ""))
    return 1 if any(one.state == "failed" for one in found) else 0


def _looked(check: Callable[[Local], Iterator[Finding]], here: Local) -> Iterator[Finding]:
    """One check; a store it needs that does not answer is its finding, and the others are made all the same."""
    try:
        yield from check(here)
    except Exception as error:
        known = storefaults.told(error)
        if known is None:
            raise
        yield failed(f"{check.__name__}: {known.what}", known.mend)
