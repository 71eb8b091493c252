"""`carepost sending`, inside Django."""

import argparse
import uuid

from carepost.cli.office import common, entry
from carepost.destinations import ahead, sending, ways
from carepost.destinations.ways import AddressLine, Line
from carepost.ground.errors import Unavailable
from carepost.mailbox import door
from carepost.pace.limits import Limits
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "show":
        return entry.show([_line(one) for one in _lines(org)], args, "Nothing is limited or held back.")
    if args.verb == "addresses":
        return entry.show([_address(one) for one in ways.addresses(org)], args, "All mail leaves by the system's own.")
    if args.verb == "ahead":
        return _ahead(org, args)
    said, result = _ACTS[args.verb](org, args)
    return entry.done(said, result, args)


def _ahead(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.days:
        ahead.put(org, args.days, actor=COMMAND_LINE, reason=args.reason)
    days = ahead.days(org)
    return entry.done(f"Messages may be scheduled {days} days ahead.", {"days": days}, args)


def _lines(org: uuid.UUID) -> list[Line]:
    try:
        return ways.lines(org, door.client())
    except Unavailable:
        # nothing runs: what providers asked for and still holds is on record
        return ways.asked(org)


def _add_pool(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    made = sending.add_pool(org, args.name, actor=COMMAND_LINE, streams=args.stream, domain=args.domain)
    return f"The pool {made.name} is there.", {"name": made.name, "streams": made.streams.split()}


def _remove_pool(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    sending.remove_pool(org, args.name, actor=COMMAND_LINE, reason=args.reason)
    return f"The pool {args.name} is no more.", {"name": args.name, "removed": True}


def _add_address(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    made = sending.add_address(
        org, args.ip, args.pool, actor=COMMAND_LINE, helo=args.helo, warm=not args.known, usual=args.usual
    )
    return f"Mail of the pool {made.pool} leaves by {made.ip}.", {"ip": made.ip, "pool": made.pool}


def _change_address(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    made = sending.change_address(
        org, args.ip, actor=COMMAND_LINE, state=args.state, pool=args.pool, helo=args.helo, reason=args.reason
    )
    return f"{made.ip} is {made.state}, in the pool {made.pool}.", {"ip": made.ip, "state": made.state}


def _remove_address(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    sending.remove_address(org, args.ip, actor=COMMAND_LINE, reason=args.reason)
    return f"Nothing leaves by {args.ip} any more.", {"ip": args.ip, "removed": True}


def _limit(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    own = Limits(
        connections=args.connections, messages=args.messages, per_minute=args.per_minute, per_hour=args.per_hour,
        dials=args.dials,
    )  # fmt: skip
    if own.unlimited:
        sending.clear_limits(org, args.provider, actor=COMMAND_LINE, reason=args.reason)
        return "The table's limits hold there again.", {"provider": args.provider, "own": False}
    made = sending.set_limits(org, args.provider, own, actor=COMMAND_LINE, reason=args.reason)
    return f"Your limits hold at {made.provider}.", {"provider": made.provider, "own": True}


def _lift(org: uuid.UUID, args: argparse.Namespace) -> tuple[str, dict[str, object]]:
    sending.lift(org, args.provider, actor=COMMAND_LINE, source=args.source, reason=args.reason)
    return f"Mail to {args.provider} leaves again within two seconds.", {"provider": args.provider, "lifted": True}


_ACTS = {
    "add-pool": _add_pool, "remove-pool": _remove_pool, "add-address": _add_address,
    "change-address": _change_address, "remove-address": _remove_address, "limit": _limit, "lift": _lift,
}  # fmt: skip


def _line(one: Line) -> dict[str, object]:
    return {
        "provider": one.provider, "from": one.source or "system", "connections": one.connections,
        "messages": one.messages, "per_minute": one.per_minute, "under_way": one.busy,
        "held_back_by": one.held.words if one.held else "",
        "until": common.moment(one.held.until) if one.held else "",
    }  # fmt: skip


def _address(one: AddressLine) -> dict[str, object]:
    return {
        "ip": one.ip, "helo": one.helo, "pool": one.pool, "state": one.state,
        "warm_up_day": one.day, "plans": [f"{name}: {went} of {cap or 'all'}" for name, cap, went in one.plans],
    }  # fmt: skip
