"""`carepost restore FILE`: a home made again from a backup, in an empty folder."""

import argparse
import os
from pathlib import Path

import msgspec

from carepost.cli.main import home_argument, home_path
from carepost.ground import clock, config
from carepost.ground import home as homes
from carepost.ground.errors import ConfigError
from carepost.ground.keys import MasterKeyring
from carepost.processes.backup import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    home_argument(parser)
    parser.add_argument("file", type=Path, help="a file made by carepost backup")
    parser.add_argument("--check", action="store_true", help="only read it and compare every hash; write nothing")
    parser.add_argument("--json", action="store_true", help="the answer as JSON, nothing else")
    parser.epilog = (
        "The folder must be empty, and CAREPOST_KEYRING must name the keyring made with that home. What waited when "
        "the backup was made may have been sent since: it is held, and released by you (carepost queue release "
        "--restored). Messages accepted after the backup are not in it: tell their senders."
    )


def run(args: argparse.Namespace) -> int:
    path = home_path(args)
    keys = MasterKeyring.open(_keyring(path, restore.head_of(args.file).sandbox)).purposes()
    say = _quiet if args.json else _aloud
    if args.check:
        manifest = restore.check(args.file, keys)
        if args.json:
            print(msgspec.json.encode(manifest).decode())
        say(f"well        every hash of {len(manifest.files)} files agrees; it shows {clock.rfc3339(manifest.at)}")
        return 0
    done = restore.restore(args.file, path, config.load(path, os.environ), keys, say)
    if args.json:
        print(msgspec.json.encode(done).decode())
        return 0
    say(f"restored    {path}, as it was at {clock.rfc3339(done.backup_at)}")
    if done.held:
        say(f"            {done.held} deliveries were waiting then. They may have been sent since, so all are held:")
        say('              carepost queue list --state held          carepost queue release --restored --reason "…"')
    say("            Messages accepted after that moment are not here, and the audit log goes on from there.")
    say("            So is what was ended since: people disabled, keys and credentials revoked may act again.")
    say("            Before it is reached from outside, start it and end them again (carepost staff, key, mailkey).")
    say("            carepost audit verify, then: carepost up")
    return 0


def _keyring(path: Path, sandbox: bool) -> Path:
    if sandbox and not os.environ.get("CAREPOST_KEYRING"):
        raise ConfigError("This is the backup of a sandbox: set CAREPOST_KEYRING to a copy of its keyring.json.")
    return homes.keyring_path(path, os.environ, sandbox=sandbox)


def _aloud(line: str) -> None:
    print(line, flush=True)


def _quiet(_line: str) -> None:
    pass
