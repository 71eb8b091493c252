"""`carepost proof ID -o FILE`: the proof file of one delivery, for anyone to verify offline. Its making is an event."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.audit import reader
from carepost.audit.store import Store
from carepost.cli import local
from carepost.cli.main import home_path
from carepost.ground import durable, ids
from carepost.ground.errors import ConfigError, NotFound
from carepost.settings import boot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="delivery id, or the id of a message with one delivery")
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: standard output)")
    local.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    try:
        wanted = ids.parse(args.id)
    except ValueError:
        raise ConfigError(f"{args.id!r} is not an id; `carepost queue list` and the console show them.") from None
    org = local.Local.of(args).organisation(args.org)
    boot.setup("command", at=home_path(args))
    # by name, and late: they read Django's models, which exist only once the settings do
    archive: Any = import_module("carepost.archive.proof")
    store: Store = import_module("carepost.archive.store").store()
    message, delivery = _which(store, org.id, wanted)
    made: bytes = archive.build(org.id, message, delivery, local.ACTOR)
    if args.output == "-":
        sys.stdout.buffer.write(made)
    else:
        durable.write(Path(args.output).absolute(), made, mode=0o644)
    return 0


def _which(store: Store, org: bytes, wanted: bytes) -> tuple[bytes, bytes]:
    """(message, delivery). Raises NotFound; ConfigError for a message with several deliveries."""
    text = ids.text(wanted)
    pairs = {tuple(stored.event.on[:2]) for stored in reader.events_on(store, org, text) if len(stored.event.on) > 1}
    if not pairs:
        raise NotFound("There is no such delivery in the log, or its events are still on their way.")
    deliveries = sorted(delivery for message, delivery in pairs if text in (message, delivery))
    if len(deliveries) > 1:
        raise ConfigError("That message has several deliveries; name one: " + ", ".join(deliveries))
    message = next(message for message, delivery in pairs if delivery == deliveries[0])
    return ids.parse(message), ids.parse(deliveries[0])
