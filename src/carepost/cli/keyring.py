"""`carepost keyring show|rotate`: the master key that opens everything."""

import argparse
import os

import msgspec

from carepost.cli.main import home_argument, home_path
from carepost.ground import home
from carepost.ground.keys import MasterKeyring
from carepost.processes import rotation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, words in (
        ("show", "where it lies and which key is the newest"),
        ("rotate", "make a new master key; Carepost must be stopped"),
    ):
        one = verbs.add_parser(verb, help=words, description=words)
        home_argument(one)
        one.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    opened = home.open_(home_path(args))
    keyring = MasterKeyring.open(opened.keyring())
    if args.verb == "rotate":
        lock = opened.lock()
        try:
            keyring = keyring.rotate()
            rotation.bring(opened.path, keyring.purposes("database"))
        finally:
            os.close(lock)
    if args.json:
        print(msgspec.json.encode({"path": str(keyring.path), "current": keyring.current}).decode())
        return 0
    print(f"keyring     {keyring.path}, newest key {keyring.current}")
    if args.verb == "rotate":
        print("            Keep a copy of it now, apart from every backup: copies made before do not open what comes.")
        print("            Start with: carepost up. Keys are wrapped anew in the background; carepost doctor says how")
        print("            many are left. Former keys stay in the keyring: backups made before need them.")
    return 0
