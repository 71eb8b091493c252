"""`carepost domain`, inside Django."""

import argparse
import json
import uuid

from carepost.cli.office import common, entry
from carepost.crypto import dkim
from carepost.ground.errors import NotFound
from carepost.tenancy import names, select
from carepost.tenancy.actions import domains
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        rows = [_row(d) for d in select.domains(org)]
        shown = rows if args.json else [{k: v for k, v in row.items() if k != "records"} for row in rows]
        return entry.show(shown, args, "There is no sender domain yet.")
    if args.verb == "add":
        unit = select.unit(org, args.unit).pk if args.unit else None
        algorithms = (dkim.RSA, dkim.ED25519) if args.dkim == "both" else (f"{args.dkim}-sha256",)
        domains.add_domain(org, args.domain, actor=COMMAND_LINE, unit=unit, algorithms=algorithms)
    elif args.verb == "remove":
        domains.remove_domain(org, args.domain, actor=COMMAND_LINE, reason=args.reason)
        result = {"domain": names.domain(args.domain), "removed": True}
        return entry.done(f"{result['domain']} is no sender domain any more.", result, args)
    elif args.verb == "rotate":
        domains.rotate_dkim(org, args.domain, actor=COMMAND_LINE)
    return _records(org, args)


def _records(org: uuid.UUID, args: argparse.Namespace) -> int:
    wanted = names.domain(args.domain)
    row = next((_row(d) for d in select.domains(org) if d.domain == wanted), None)
    if row is None:
        raise NotFound("There is no such sender domain.")
    if args.json:
        print(json.dumps(row, indent=2))
        return 0
    print(f"{wanted} is a sender domain. Publish these records in its DNS:\n")
    for record in row["records"]:  # type: ignore[attr-defined]
        print(f'{record["name"]}. TXT "{record["value"]}"')
    return 0


def _row(domain: SenderDomain) -> dict[str, object]:
    live = [k for k in domain.dkim_keys.all() if not k.retired_at]
    return {
        "domain": domain.domain,
        "unit": domain.unit.name if domain.unit is not None else "",
        "selectors": [k.selector for k in live],
        "records": [
            {"name": f"{k.selector}._domainkey.{domain.domain}", "type": "TXT", "value": k.record} for k in live
        ],
    }
