"""`carepost staff`, inside Django."""

import argparse
import uuid

from django.conf import settings

from carepost.cli.office import common, entry
from carepost.tenancy import select
from carepost.tenancy.actions import staff
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return _list(org, args)
    if args.verb == "add":
        made = staff.add_staff(org, args.email, args.name, args.role, actor=COMMAND_LINE, reason=args.reason)
        return _invite(made, args)
    person = common.person(org, args.email)
    if args.verb == "link":
        return _invite(staff.new_link(org, person, actor=COMMAND_LINE, reason=args.reason), args)
    if args.verb == "grant":
        staff.grant_role(org, person, args.role, actor=COMMAND_LINE, reason=args.reason)
        return entry.done(f"Granted: {args.role}.", {"id": str(person), "granted": args.role}, args)
    if args.verb == "revoke":
        staff.revoke_role(org, person, args.role, actor=COMMAND_LINE, reason=args.reason)
        return entry.done(f"Revoked: {args.role}.", {"id": str(person), "revoked": args.role}, args)
    staff.disable_staff(org, person, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("Disabled.", {"id": str(person), "disabled": True}, args)


def _invite(made: staff.Invitation, args: argparse.Namespace) -> int:
    link = f"{settings.CAREPOST_FACE_URL}{made.path}"
    result = {"id": str(made.staff), "link": link, "expires_at": common.moment(made.expires_at)}
    return entry.done(f"One-time sign-in link, until {result['expires_at']}, shown only here:\n{link}", result, args)


def _list(org: uuid.UUID, args: argparse.Namespace) -> int:
    people: dict[uuid.UUID, dict[str, object]] = {}
    for member in select.staff(org):
        row = people.setdefault(
            member.staff_id,
            {"id": str(member.staff_id), "email": member.staff.email, "name": member.staff.name, "roles": []},
        )
        row["roles"] = [*row["roles"], member.role]  # type: ignore[misc]
    return entry.show(list(people.values()), args, "Nobody works here yet.")
