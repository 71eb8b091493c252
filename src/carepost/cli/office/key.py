"""`carepost key`, inside Django."""

import argparse
import json

from carepost.cli.office import common, entry
from carepost.directory import keywords
from carepost.tenancy import select
from carepost.tenancy.actions import access
from carepost.tenancy.models import ApiKey
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return entry.show([_row(k) for k in select.api_keys(org)], args, "There is no key.")
    if args.verb == "add":
        owner = common.person(org, args.owner) if args.owner else None
        scopes = [one for given in args.scope for one in given.replace(",", " ").split()]
        made = access.add_key(org, args.name, scopes, actor=COMMAND_LINE, owner=owner, per_minute=args.per_minute)
        # JSON always: the one time the secret is seen, it should be easy to take
        print(json.dumps({"id": made.id, "secret": made.secret}))
        return 0
    if args.verb == "limit":
        key = common.identifier(args.id, "a key")
        access.limit_key(org, key, args.per_minute, actor=COMMAND_LINE)
        return entry.done("Changed.", {"id": args.id, "per_minute": args.per_minute}, args)
    access.revoke_key(org, common.identifier(args.id, "a key"), actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Revoked.", {"id": args.id, "revoked": True}, args)


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": str(key.pk),
        "name": key.name,
        "scopes": list(keywords.without_limit(tuple(key.scopes.split()))),
        "per_minute": keywords.limit_of(tuple(key.scopes.split())),
        "owner": key.owner.email if key.owner is not None else "",
        "created_at": common.moment(key.created_at),
        "last_used": common.day(key.last_used_at),
    }
