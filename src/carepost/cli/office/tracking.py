"""`carepost tracking`, inside Django."""

import argparse
import json
import uuid

import msgspec

from carepost.cli.office import common, entry
from carepost.engagement import acts, networks, select
from carepost.engagement.types import Known, Line
from carepost.ground import clock
from carepost.ground.errors import ConfigError
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.tracking.types import Switch

_DAY_US = 86_400_000_000


def run(args: argparse.Namespace) -> int:
    if args.verb == "network" and args.everywhere:
        return _everywhere(args)
    org = common.organisation(args).pk
    if args.verb == "show":
        return _show(org, args)
    if args.verb == "report":
        return _report(org, args)
    if args.verb == "count":
        acts.count_as(org, args.counts, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("All figures say so at once, for the past too.", {"counts": args.counts}, args)
    if args.verb == "host":
        return _host(org, args)
    if args.verb == "network":
        return _network(org, args)
    now = next(one for one in select.settings(org).watched if one.category == args.category)
    opens, clicks = args.opens or now.opens, args.clicks or now.clicks
    acts.watch(
        org, args.category, opens=opens, clicks=clicks, attestation=args.attestation, actor=COMMAND_LINE,
        reason=args.reason,
    )  # fmt: skip
    said = {"category": args.category, "opens": opens, "clicks": clicks}
    return entry.done("Set; the engines know within two seconds.", said, args)


def _host(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.host:
        acts.put_host(org, args.domain, args.host, actor=COMMAND_LINE, reason=args.reason)
        return entry.done(
            f"Links lead over {args.host} from now on; its CNAME must lead to this system, with a certificate for it.",
            {"domain": args.domain, "host": args.host}, args,
        )  # fmt: skip
    acts.remove_host(org, args.domain, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Links lead over the portal's address again.", {"domain": args.domain, "host": ""}, args)


def _network(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.act == "list":
        found = select.settings(org)
        rows = [_named("organisation", one) for one in found.networks]
        rows += [_named("installation", one) for one in found.shared]
        return entry.show(rows, args, "No network is named; the table that ships decides.")
    said = {"network": args.network, "means": args.means if args.act == "add" else ""}
    if args.act == "add":
        networks.add(org, args.network, args.means, note=args.note, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("Named; it holds within a minute, for what comes from then on.", said, args)
    networks.remove(org, args.network, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Not known any more; the table that ships decides again.", said, args)


def _everywhere(args: argparse.Namespace) -> int:
    if args.act == "list":
        rows = [_named("installation", one) for one in networks.shared()]
        return entry.show(rows, args, "No network is named for the whole installation.")
    said = {"network": args.network, "means": args.means if args.act == "add" else ""}
    if args.act == "add":
        networks.add_shared(args.network, args.means, note=args.note)
        return entry.done("Named, for every organisation; it holds within a minute.", said, args)
    networks.remove_shared(args.network)
    return entry.done("Not known any more; the table that ships decides again.", said, args)


def _named(whose: str, one: Known) -> dict[str, object]:
    return {"network": one.network, "means": one.means, "note": one.note, "of": whose}


def _show(org: uuid.UUID, args: argparse.Namespace) -> int:
    found = select.settings(org)
    if args.json:
        print(json.dumps(msgspec.to_builtins(found), indent=2))
        return 0
    rows = [
        {"category": one.category, "opens": one.opens, "clicks": one.clicks, "attested": one.attestation or "-"}
        for one in found.watched
    ]
    entry.show(rows, args, "")
    print(f"What counts: {found.counts.value}.")
    for domain, host in sorted(found.hosts.items()):
        print(f"Links of mail from {domain} lead over {host}.")
    return 0


def _report(org: uuid.UUID, args: argparse.Namespace) -> int:
    if not 1 <= args.days <= select.LONGEST:
        raise ConfigError(f"--days is 1 to {select.LONGEST}.")
    today = clock.now() // _DAY_US
    counts = Switch(args.count) if args.count else None
    found = select.access_report(
        org, COMMAND_LINE, first=today - args.days + 1, last=today, category=args.category, counts=counts
    )
    rows = [_row(one) for one in found.lines]
    return entry.show(rows, args, "Nothing that is watched was sent, opened or clicked in this time.")


def _row(one: Line) -> dict[str, object]:
    row: dict[str, object] = {"day": one.day, "category": one.category}
    for name, split in (("opened", one.opened), ("clicked", one.clicked)):
        row |= {
            name: f"{split.counted} of {split.sent}", f"{name}_people": split.human,
            f"{name}_unclear": split.undetermined, f"{name}_machines": split.automated,
        }  # fmt: skip
    return row
