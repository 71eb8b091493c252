"""`carepost org`, inside Django."""

import argparse

from carepost.cli.office import common, entry
from carepost.cli.org import SETTINGS
from carepost.engagement.retokening import PLACES
from carepost.ground.errors import ConfigError
from carepost.policy.types import Assurance
from carepost.tenancy import retokening, select
from carepost.tenancy.actions import keys, organisations, retention
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    if args.verb == "add":
        made = organisations.create_organisation(
            args.slug,
            args.name,
            actor=COMMAND_LINE,
            notice_name=args.notice_name or "",
            phone=args.phone or "",
            auditor=args.auditor or "",
            alerts=args.alerts or "",
            portal_url=args.portal_url or "",
            portal_address=args.portal_address or "",
            portal_by_mail=args.portal_by_mail,
        )
        return entry.done(f"Organisation {made.slug} is there; add a sender domain next.", _row(made), args)
    if args.verb == "list":
        return entry.show([_row(o) for o in select.organisations()], args, "There is no organisation yet.")
    org = common.organisation(args)
    if args.verb == "set":
        return _set(org, args)
    if args.verb == "close":
        organisations.close_organisation(org.pk, actor=COMMAND_LINE, reason=args.reason)
        return entry.done(f"Organisation {org.slug} is closed.", {"id": str(org.pk), "closed": True}, args)
    if args.verb == "rotate-key":
        return _rotate(org, args)
    if args.verb == "keys":
        return entry.show(_keys(org), args, "This organisation has no keys.")
    settings = {name.replace("-", "_"): getattr(org, name.replace("-", "_")) for name in SETTINGS}
    shown = {**_row(org), **settings, "patience": org.patience, "policy_version": org.policy_version}
    shown["keep_content"] = retention.content_days(org.pk)
    if args.json:
        return entry.done("", shown, args)
    return entry.show([{"setting": k, "value": v} for k, v in shown.items()], args, "")


def _rotate(org: Organisation, args: argparse.Namespace) -> int:
    begins = common.time(args.at) if args.at else 0
    row = keys.rotate_key(org.pk, args.purpose, actor=COMMAND_LINE, reason=args.reason, serves_from=begins)
    result: dict[str, object] = {"purpose": args.purpose, "version": row.version}
    words = f"The {args.purpose} key is at version {row.version}."
    if row.serves_from:
        result["serves_from"] = common.moment(row.serves_from)
        words += f" It serves messages accepted from {result['serves_from']} on; older ones are found as before."
    elif args.purpose == keys.SIGNING:
        words += (
            " It signs the log as soon as the journal has taken its introduction: seconds, while Carepost runs. Whoever"
            " keeps the former key can follow; publish the page /.well-known/carepost-log anew where you keep copies."
        )
    return entry.done(words, result, args)


def _keys(org: Organisation) -> list[dict[str, object]]:
    behind = {
        (purpose, one.version): one.words
        for purpose in retokening.PURPOSES
        for one in retokening.behind(PLACES, org.pk, purpose)
    }
    rows = select.org_keys(org.pk)
    newest = {row.purpose: row.version for row in rows}
    return [
        {
            "purpose": row.purpose, "version": row.version, "since": common.moment(row.serves_from or row.created_at),
            "state": "newest" if row.version == newest[row.purpose] else "former",
            "still_under_it": behind.get((row.purpose, row.version), ""),
        }
        for row in rows
    ]  # fmt: skip


def _set(org: Organisation, args: argparse.Namespace) -> int:
    changes: dict[str, object] = dict(_settings(args))
    changes |= {"name": args.name, "patience": args.patience}
    changes["floor"] = Assurance[args.floor] if args.floor else None
    changes = {name: value for name, value in changes.items() if value is not None}
    if args.keep_content is not None:
        retention.keep_content(org.pk, args.keep_content, actor=COMMAND_LINE, reason=args.reason)
        if not changes:
            result = {**_row(org), "keep_content": args.keep_content}
            return entry.done(_kept(args.keep_content), result, args)
    if not changes:
        raise ConfigError("Name what to change, e.g. --phone '+1 555 0100'.")
    row = organisations.change_settings(org.pk, actor=COMMAND_LINE, reason=args.reason, **changes)
    return entry.done(f"Changed: {', '.join(changes)}.", _row(row), args)


def _settings(args: argparse.Namespace) -> dict[str, str | None]:
    return {name.replace("-", "_"): getattr(args, name.replace("-", "_")) for name in SETTINGS}


def _row(org: Organisation) -> dict[str, object]:
    return {"id": str(org.pk), "slug": org.slug, "name": org.name, "floor": Assurance(org.floor).name}


def _kept(days: int) -> str:
    return f"Content is kept {days} days, then disposed of." if days else "Content is kept for ever."
