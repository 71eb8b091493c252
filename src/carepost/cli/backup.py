"""`carepost backup [FILE]`: one encrypted file of the home as of one moment, while it runs."""

import argparse
import os
from pathlib import Path

import msgspec

from carepost.cli.main import home_argument, home_path
from carepost.ground import clock, config, home
from carepost.ground.errors import ConfigError
from carepost.ground.keys import MasterKeyring
from carepost.processes.backup import make


def add_arguments(parser: argparse.ArgumentParser) -> None:
    home_argument(parser)
    parser.add_argument("file", nargs="?", type=Path, help="the file to write, or a folder (default: the current one)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON, nothing else")
    parser.epilog = (
        "The file holds databases, spool, TLS certificates and settings, encrypted under the keyring. It never holds "
        "the keyring: without a copy of that, kept apart, no backup can be restored. An office in PostgreSQL is "
        "included by pg_dump, of the same moment. Restore with: carepost restore FILE --home FOLDER"
    )


def run(args: argparse.Namespace) -> int:
    opened = home.open_(home_path(args))
    settings = config.load(opened.path, os.environ)
    if not settings.database_url and not opened.office_db.exists():
        raise ConfigError(f"{opened.path} has no tables yet; start it once with: carepost up")
    keys = MasterKeyring.open(opened.keyring()).purposes("database")
    target: Path = args.file or Path()
    if target.is_dir():
        target /= f"carepost-{clock.rfc3339(clock.now())[:19].replace(':', '')}Z.backup"
    say = _quiet if args.json else _aloud
    made = make.backup(opened, settings, keys, target.absolute(), say)
    if args.json:
        print(msgspec.json.encode(made).decode())
    else:
        say(f"backup      {made.file} ({made.size:,} bytes, {made.files} files)")
        say(f"            {made.waiting} deliveries were waiting: a restored home holds them until you release them.")
        say("            The keyring is not in it: keep a copy of that elsewhere, apart from every backup.")
    return 0


def _aloud(line: str) -> None:
    print(line, flush=True)


def _quiet(_line: str) -> None:
    pass
