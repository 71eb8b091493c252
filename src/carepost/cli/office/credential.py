"""`carepost credential`, inside Django."""

import argparse
import json

from carepost.cli.office import common, entry
from carepost.ground.errors import NotFound
from carepost.tenancy import select
from carepost.tenancy.actions import access
from carepost.tenancy.models import Credential
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    rows = select.credentials(org)
    if args.verb == "list":
        return entry.show([_row(c) for c in rows], args, "There is no credential.")
    if args.verb == "add":
        owner = common.person(org, args.owner) if args.owner else None
        made = access.add_credential(org, args.name, actor=COMMAND_LINE, domains=args.domain, owner=owner)
        # JSON always: the one time the password is seen, it should be easy to take
        print(json.dumps({"username": made.username, "password": made.password}))
        return 0
    found = next((c for c in rows if args.username in (c.username, str(c.pk))), None)
    if found is None:
        raise NotFound("There is no such credential.")
    access.revoke_credential(org, found.pk, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Revoked.", {"username": found.username, "revoked": True}, args)


def _row(credential: Credential) -> dict[str, object]:
    return {
        "username": credential.username,
        "name": credential.name,
        "domains": credential.domains.split(),
        "owner": credential.owner.email if credential.owner is not None else "",
        "created_at": common.moment(credential.created_at),
        "last_used": common.day(credential.last_used_at),
    }
