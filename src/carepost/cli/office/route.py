"""`carepost route`, inside Django."""

import argparse
from pathlib import Path

from carepost.cli.office import common, entry
from carepost.ground.errors import ConfigError
from carepost.tenancy import names, select
from carepost.tenancy.actions import routes
from carepost.tenancy.models import Route
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return entry.show([_row(r) for r in select.routes(org)], args, "There is no pinned next hop.")
    if args.verb == "add":
        host, port = _host(args.host)
        made = routes.add_route(
            org,
            args.domain,
            host,
            port,
            actor=COMMAND_LINE,
            ca=_ca(args.ca),
            pins=args.key,
            else_hold=args.else_hold,
            reason=args.reason or "",
        )
        return entry.done(f"Mail for {made.domain} goes to {made.host}:{made.port}.", _row(made), args)
    routes.remove_route(org, args.domain, actor=COMMAND_LINE, reason=args.reason)
    result = {"domain": names.domain(args.domain), "removed": True}
    return entry.done(f"DNS decides for {result['domain']} again.", result, args)


def _host(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal():
        raise ConfigError(f"{text!r} is not HOST:PORT, e.g. mx.partner.example:25.")
    return host, int(port)


def _ca(file: str | None) -> str:
    if file is None:
        return ""
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The CA file {file} cannot be read.") from None


def _row(route: Route) -> dict[str, object]:
    return {
        "domain": route.domain,
        "host": route.host,
        "port": route.port,
        "own_ca": bool(route.ca),
        "keys": route.pins.split(),
        "otherwise": route.otherwise or "next-method",
    }
