"""`carepost send`: one message through the running engines, durable when the command ends."""

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
    wanted = compose.submission(args, org, compose.read_text(args.text), args.subject, args.attach)
    try:
        accepted = here.client.accept(wanted)
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(accepted).decode())
        return 0
    print(f"accepted  {accepted.message_id}")
    for one in accepted.deliveries:
        print(f"  {one.recipient}  {one.state}  {one.method or '-'}  {one.words}  (rule {one.rule}, delivery {one.id})")
    return 0
