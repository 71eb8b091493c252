"""`carepost unit`, inside Django."""

import argparse

from carepost.cli.office import common, entry
from carepost.ground.errors import ConfigError
from carepost.tenancy import select
from carepost.tenancy.actions import organisations
from carepost.tenancy.models import Unit
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return entry.show([_row(u) for u in select.units(org)], args, "There is no unit yet.")
    given = {"notice_name": args.notice_name, "phone": args.phone}
    settings = {name: value for name, value in given.items() if value is not None}
    if args.verb == "add":
        made = organisations.add_unit(org, args.name, actor=COMMAND_LINE, **settings)
        return entry.done(f"Unit {made.name} is there.", _row(made), args)
    if not settings:
        raise ConfigError("Name what to change: --notice-name or --phone.")
    unit = select.unit(org, args.name)
    row = organisations.change_unit(org, unit.pk, actor=COMMAND_LINE, **settings)
    return entry.done(f"Unit {row.name} is changed.", _row(row), args)


def _row(unit: Unit) -> dict[str, object]:
    return {"id": str(unit.pk), "name": unit.name, "notice_name": unit.notice_name, "phone": unit.phone}
