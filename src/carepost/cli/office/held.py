"""`carepost held letters`, inside Django."""

import argparse

from carepost.cli.office import common, entry
from carepost.review import settings
from carepost.tenancy.permissions import COMMAND_LINE

_WORDS = {
    settings.AT_ONCE: "A letter is written at once, and daily while something waits",
    settings.DAILY: "A letter is written daily while something waits",
    settings.OFF: "No letters are written",
}


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    now = settings.of(org)
    if args.write is not None or args.to is not None or args.remind is not None:
        now = settings.change(
            org,
            letters=now.letters if args.write is None else args.write,
            address=now.address if args.to is None else args.to,
            remind=now.remind if args.remind is None else args.remind,
            actor=COMMAND_LINE,
            reason=args.reason,
        )
    to = now.address or "everybody who may release"
    again = f"; again {now.remind} hours before its time is over" if now.remind else ""
    said = f"{_WORDS[now.letters]}." if now.letters == settings.OFF else f"{_WORDS[now.letters]}, to {to}{again}."
    return entry.done(said, {"letters": now.letters, "address": now.address, "remind": now.remind}, args)
