"""`carepost keyring show|rotate|move`: the master key that opens everything, and who keeps it."""

import argparse
import importlib
import os
from collections.abc import Mapping
from typing import Final

import msgspec

from carepost.cli.main import home_argument, home_path
from carepost.ground import home
from carepost.ground.errors import ConfigError
from carepost.ground.home import Home
from carepost.ground.keys import MasterKeyring
from carepost.ground.providers.settings import KINDS, SECRET, Settings
from carepost.processes import rotation

_MOVED = """            The keys are the same; nothing else changes. Keep a copy of it now, apart from every backup.
            Former copies of the keyring still open this home: destroy them, or make a new master key after the
            move: carepost keyring rotate"""
_SECRET: Final = f"""
            From now on {SECRET} or {SECRET}_FILE names the new keeper’s."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, words in (
        ("show", "where it lies, who keeps it, and which key is the newest"),
        ("rotate", "make a new master key; Carepost must be stopped"),
        ("move", "to another keeper: the file, Vault, AWS KMS, or a PKCS#11 token; Carepost must be stopped"),
    ):
        one = verbs.add_parser(verb, help=words, description=words)
        home_argument(one)
        one.add_argument("--json", action="store_true", help="the answer as JSON")
        if verb == "move":
            _move_arguments(one)


def _move_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, choices=("file", *KINDS))
    parser.add_argument("--key", default="", help="vault: name in Transit; kms: id, ARN or alias; pkcs11: label")
    parser.add_argument("--url", default="", help="vault: https://…; kms: an endpoint other than the region’s")
    parser.add_argument("--ca", default="", metavar="FILE", help="PEM of the authority of that address")
    parser.add_argument("--mount", default="transit", help="vault: where Transit is mounted")
    parser.add_argument("--auth", default="token", choices=("token", "approle"), help="vault: how to sign in")
    parser.add_argument("--namespace", default="", help="vault: namespace")
    parser.add_argument("--region", default="", help="kms: as in eu-central-1")
    parser.add_argument("--module", default="", metavar="FILE", help="pkcs11: the library of the token’s maker")
    parser.add_argument("--token", default="", metavar="LABEL", help="pkcs11: the token")
    parser.add_argument("--make-key", action="store_true", help="pkcs11: make the key in the token first")
    parser.add_argument(
        "--new-secret-file", default="", metavar="FILE",
        help="the new keeper’s PIN, token or access key, in a file of mode 600, where the present keeper has one of "
        f"its own (default: {SECRET} counts for both)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    opened = home.open_(home_path(args))
    if args.verb == "show":
        keyring = MasterKeyring.open(opened.keyring())
    else:
        keyring = _change(opened, args)
    if args.json:
        answer = {
            "path": str(keyring.path), "current": keyring.current, "keeper": keyring.words(),
            "provider": keyring.provider.kind if keyring.provider is not None else "file",
        }  # fmt: skip
        print(msgspec.json.encode(answer).decode())
        return 0
    print(f"keyring     {keyring.path}, newest key {keyring.current}")
    print(f"kept by     {keyring.words()}")
    if args.verb == "rotate":
        print("            Keep a copy of it now, apart from every backup: copies made before do not open what comes.")
        print("            Start with: carepost up. Keys are wrapped anew in the background; carepost doctor says how")
        print("            many are left. Former keys stay in the keyring: backups made before need them.")
    elif args.verb == "move":
        print(_MOVED + (_SECRET if args.new_secret_file else ""))
    return 0


def _change(opened: Home, args: argparse.Namespace) -> MasterKeyring:
    lock = opened.lock()
    try:
        keyring = MasterKeyring.open(opened.keyring())
        if args.verb == "move":
            environ = _secrets(args)
            return keyring.move(_settings(args, environ), environ)
        keyring = keyring.rotate()
        rotation.bring(opened.path, keyring.purposes("database"))
        return keyring
    finally:
        os.close(lock)


def _secrets(args: argparse.Namespace) -> Mapping[str, str]:
    """The variables by which the new keeper is come to."""
    if not args.new_secret_file:
        return os.environ
    return {
        **{name: value for name, value in os.environ.items() if name != SECRET},
        f"{SECRET}_FILE": args.new_secret_file,
    }


def _settings(args: argparse.Namespace, environ: Mapping[str, str]) -> Settings | None:
    """Raises ConfigError for what is missing."""
    if args.to == "file":
        return None
    needed = {"vault": ("url", "key"), "kms": ("region", "key"), "pkcs11": ("module", "token", "key")}[args.to]
    missing = [f"--{name}" for name in needed if not getattr(args, name)]
    if missing:
        raise ConfigError(f"Say also {' and '.join(missing)}.")
    fields = ("key", "url", "ca", "mount", "auth", "namespace", "region", "module", "token")
    settings = Settings(args.to, **{name: getattr(args, name) for name in fields})
    if args.make_key:
        if args.to != "pkcs11":
            raise ConfigError("Only a PKCS#11 token makes its key by --make-key; elsewhere its administrator makes it.")
        token = importlib.import_module("carepost.ground.providers.pkcs11").provider(settings, environ)
        try:
            token.make_key()
        finally:
            token.close()
    return settings
