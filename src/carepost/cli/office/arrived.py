"""`carepost arrived`, inside Django."""

import argparse
import json

from carepost.archive import arrivals
from carepost.cli.office import common
from carepost.ground.errors import ConfigError
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    if "@" not in args.address.strip("@"):
        raise ConfigError("Give the whole address, with its @.")
    org = common.organisation(args).pk
    found = arrivals.asked(
        org.bytes, COMMAND_LINE, args.address, around=common.time(args.around) if args.around else 0, days=args.days,
        subject=args.subject,
    )  # fmt: skip
    if args.json:
        print(json.dumps({"answers": [_row(one) for one in found.answers], "more": found.more}, indent=2))
        return 0
    if not found.answers:
        print("We have no record of a message to this address then.")
    for one in found.answers:
        said = one.said
        print(f"{common.moment(one.at)}  {one.message}\n  {said.headline}")
        for word, lines in (("On record", said.evidence), ("Nobody can know", said.limits), ("Next", said.next)):
            for line in lines:
                print(f"  {word}: {line}")
    if found.more:
        print("There are more; narrow it by --around, --days or --subject.")
    return 0


def _row(one: arrivals.Answer) -> dict[str, object]:
    said = one.said
    return {
        "message": one.message, "delivery": one.delivery, "accepted": common.moment(one.at), "state": one.state,
        "verdict": said.verdict, "headline": said.headline, "evidence": said.evidence, "limits": said.limits,
        "next": said.next,
    }  # fmt: skip
