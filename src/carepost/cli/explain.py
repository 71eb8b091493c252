"""`carepost explain`: what each recipient would get and why, without sending; decided as the real thing is."""

import argparse

import msgspec

from carepost.cli import compose, local
from carepost.ground.errors import Unavailable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    compose.add_arguments(parser)
    compose.add_content(parser)
    local.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    here = local.Local.of(args)
    org = here.organisation(args.org)
    try:
        text = compose.read_text(args.text) if args.text else ""
        found = here.client.preview(compose.submission(args, org, text, args.subject, args.attach))
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    for one in found:
        print(f"{one.recipient}  {one.state}  {one.method or '-'}  {one.assurance or '-'}\n    {one.words}")
        print(f"    (rule {one.rule} of policy version {one.policy}, {one.reason})")
    print("Expected; decided again at delivery.")
    return 0
