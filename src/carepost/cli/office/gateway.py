"""`carepost gateway`, inside Django."""

import argparse
import json
import uuid
from pathlib import Path

import msgspec
from django.conf import settings

from carepost.cli.office import common, entry
from carepost.directory.gateways import Login, Settings
from carepost.gateway import acts, probing, select, steps
from carepost.gateway.select import Shown
from carepost.gateway.steps import Here
from carepost.ground.errors import ConfigError
from carepost.mailbox import door
from carepost.tenancy import select as tenancy
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire import probes


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        found = select.connections(org, COMMAND_LINE)
        return entry.show([_row(one) for one in found], args, "No mail system is connected.")
    if args.verb == "add":
        made = acts.add_connection(org, args.name, args.provider, actor=COMMAND_LINE, reason=args.reason or "")
        return _told(made, "Connected. Your mail system must send", args)
    row = common.identifier(args.id, "a connection")
    if args.verb == "set":
        return _set(org, row, args)
    if args.verb == "login":
        acts.set_login(org, row, _login(args), actor=COMMAND_LINE, reason=args.reason or "")
        return entry.done("How we sign in is changed.", {"id": str(row), "login": args.kind}, args)
    if args.verb == "rotate":
        return _told(
            acts.rotate_secret(org, row, actor=COMMAND_LINE), "Both values count until you end the older:", args
        )
    if args.verb == "end-secret":
        acts.end_secret(org, row, actor=COMMAND_LINE)
        return entry.done("The older value counts no more.", {"id": str(row), "ended": True}, args)
    if args.verb == "check":
        return _check(org, row, args)
    if args.verb == "remove":
        acts.remove_connection(org, row, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("Nothing is taken by it any more.", {"id": str(row), "removed": True}, args)
    return _steps(org, row, args)


def _told(made: acts.Made, words: str, args: argparse.Namespace) -> int:
    result = {"id": str(made.connection), "header": "X-Carepost-Gateway", "value": made.value}
    return entry.done(
        f"{words}\n  X-Carepost-Gateway: {made.value}\nThe value is shown this once. Id: {made.connection}",
        result,
        args,
    )


def _set(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    one = select.connection(org, COMMAND_LINE, row)
    changes: dict[str, object] = {}
    for option, field in (
        ("domain", "domains"), ("name_shared", "shared_names"), ("network_shared", "shared_networks"),
        ("own_key", "keys"),
    ):  # fmt: skip
        if getattr(args, option) is not None:
            changes[field] = tuple(value for value in getattr(args, option) if value)
    for option in ("mode", "credential", "originator"):
        if getattr(args, option) is not None:
            changes[option] = getattr(args, option)
    for option in ("vouched", "inbound", "banner", "forwards"):
        if getattr(args, option) is not None:
            changes[option] = getattr(args, option) == "yes"
    if args.check_recipients is not None:
        changes["callahead"] = args.check_recipients == "yes"
    if args.host is not None:
        host, colon, port = args.host.rpartition(":")
        if not colon or not port.isascii() or not port.isdecimal():
            raise ConfigError(f"{args.host!r} is not HOST:PORT, e.g. mail.clinic.example:25.")
        changes |= {"host": host, "port": int(port)}
    if args.ca is not None:
        changes["ca"] = _text(args.ca) if args.ca else ""
    given: Settings = msgspec.structs.replace(one.settings, **changes)
    acts.change_connection(org, row, given, actor=COMMAND_LINE, reason=args.reason or "")
    return entry.done("Changed.", _row(select.connection(org, COMMAND_LINE, row)), args)


def _login(args: argparse.Namespace) -> Login:
    secret = {
        name: _text(getattr(args, f"{name}_file")).strip()
        for name in ("password", "client_secret", "refresh_token", "certificate", "key")
        if getattr(args, f"{name}_file")
    }
    return Login(
        kind="" if args.kind == "none" else args.kind, username=args.username, token_url=args.token_url,
        client_id=args.client_id, scope=args.scope, **secret,
    )  # fmt: skip


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The file {file} cannot be read.") from None


def _steps(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    one = select.connection(org, COMMAND_LINE, row)
    domains = tuple(domain.domain for domain in tenancy.domains(org))
    here = Here(settings.CAREPOST_HOSTNAME, settings.CAREPOST_PORT_GATEWAY, settings.CAREPOST_PORT_MX, domains)
    found = steps.steps(one, here)
    if args.json:
        print(json.dumps([msgspec.to_builtins(step) for step in found], indent=2))
        return 0
    for number, step in enumerate(found, 1):
        seen = f" ({common.moment(step.last.at)})" if step.last is not None else ""
        print(f"{number}. {step.title}{f': {step.word}{seen}' if step.word else ''}\n   {step.text}")
        for value in step.values:
            print(f"   {value.label}: {value.value}")
    return 0


def _check(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    """1 where a step does not work."""
    probing.probe(
        org, row, actor=COMMAND_LINE, engine=door.client(), host=settings.CAREPOST_HOSTNAME, mailbox=args.mailbox,
        send=args.send,
    )  # fmt: skip
    found = select.connection(org, COMMAND_LINE, row).findings
    wrong = any(one.state == probes.BAD for one in found)
    if args.json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
        return int(wrong)
    for one in found:
        print(f"{one.word:<14} {one.title}{f': {one.found}' if one.found else ''}")
        if one.mend:
            print(f"               {one.mend}")
    return int(wrong)


def _row(one: Shown) -> dict[str, object]:
    return {
        "id": one.id, "name": one.name, "provider": one.provider.id, "mode": one.settings.mode,
        "host": f"{one.settings.host}:{one.settings.port}" if one.settings.host else "",
        "inbound": one.settings.inbound, "secrets": len(one.secrets), "login": one.login or "none",
        "last_taken": common.moment(one.seen["received"].at) if "received" in one.seen else "",
        "last_refused": common.moment(one.seen["refused"].at) if "refused" in one.seen else "",
    }  # fmt: skip
