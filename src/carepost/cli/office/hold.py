"""`carepost hold`, inside Django."""

import argparse

from carepost.archive import holds
from carepost.archive.holds import Hold
from carepost.cli.office import common, entry
from carepost.tenancy.actions.holds import lift_hold
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        rows = [_row(hold) for hold in holds.listing(org, COMMAND_LINE)]
        return entry.show(rows, args, "Nothing is under legal hold.")
    if args.verb == "place":
        message = common.identifier(args.message, "a message")
        holds.place(org, message, actor=COMMAND_LINE, reason=args.reason)
        sentence = "It is under legal hold as soon as the journal has it on record: seconds, while Carepost runs."
        return entry.done(sentence, {"message": str(message), "state": "placing"}, args)
    lifted = lift_hold(org, common.identifier(args.id, "a legal hold"), actor=COMMAND_LINE, reason=args.reason)
    result = {"id": str(lifted.pk), "message": str(lifted.message), "state": "lifting"}
    return entry.done("The hold is lifted; retention decides about the message again.", result, args)


def _row(hold: Hold) -> dict[str, object]:
    return {
        "id": hold.id,
        "message": hold.message,
        "state": hold.state,
        "placed": common.moment(hold.placed_at),
        "lifted": common.moment(hold.lifted_at),
        "reason": hold.reason,
    }
