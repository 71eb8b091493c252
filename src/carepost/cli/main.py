"""`carepost`: finds a command's module by name, so that `verify`, `send` and `up` never load Django."""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from carepost import __version__
from carepost.ground import storefaults
from carepost.ground.errors import CarepostError, ConfigError, NotFound, Unavailable

#: command -> its line in the list; the module is `carepost.cli.<command>`
COMMANDS = {
    "up": "start every process of a home under one supervisor (--sandbox: with a local outside world)",
    "demo": "the main job on a throwaway home, verified, in under a minute",
    "send": "hand one message over for protected delivery",
    "explain": "what each recipient would get and why, without sending",
    "proof": "write the proof of one delivery to a file",
    "headers": "what the header of a message says, and what of it can be proved",
    "verify": "verify a proof offline, alone or against a received message",
    "audit": "verify the audit log",
    "message": "find messages by recipient, sender, subject, state and more; send one again",
    "job": "work on all messages that fit a search: retry, take back, send again, export",
    "arrived": "did it arrive? The answer in plain words, with the evidence and its limits",
    "queue": "list, hold, release or retry deliveries",
    "held": "what waits for a person: list, release, refuse",
    "keyring": "the master key: where it is, and rotation",
    "backup": "one encrypted file of the whole home, while it runs",
    "restore": "make a home again from a backup, in an empty folder",
    "metrics": "the figures of this installation, as Prometheus reads them",
    "doctor": "check this installation and say what to mend",
    "org": "organisations",
    "unit": "units of an organisation",
    "domain": "sender domains and their DKIM keys",
    "staff": "staff members and their one-time sign-in links",
    "key": "API keys",
    "credential": "SMTP credentials",
    "route": "pinned next hops",
    "gateway": "connections in front of your own mail system (Microsoft 365, Google Workspace)",
    "tracking": "whether opens and clicks are watched, what counts, and the figures",
    "webhook": "addresses of your own programs that are told what happens to mail",
    "certificate": "certificates of recipients, for S/MIME and OpenPGP",
    "mailkey": "the organisation's own keys, to sign and to open mail by S/MIME and OpenPGP",
    "authority": "the organisation as its own certification authority for S/MIME",
    "destination": "where mail goes, what the other side proves, what changed",
    "sending": "how mail leaves: sending addresses, pools, limits of providers, what is held back",
    "rule": "protection rules",
    "words": "the organisation's own words, patterns and exceptions for detection",
    "suppression": "addresses nothing is sent to, and where bounces come back to",
    "cold": "the bucket in which old bodies lie, sealed (S3)",
    "hold": "legal holds: messages that retention must leave alone",
}


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    _platform()
    try:
        return _run(arguments)
    except CarepostError as error:
        print(f"carepost: {error.public}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1 if isinstance(error, Unavailable | NotFound) else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    except Exception as error:
        # a database or disk that does not do its part is no fault of the program's: one sentence, no traceback
        known = storefaults.told(error)
        if known is None:
            raise
        print(f"carepost: {known.public}", file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"carepost {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        raise ConfigError(f"There is no command {name!r}; `carepost --help` lists them.")
    module = importlib.import_module(f"carepost.cli.{name}")
    parser = argparse.ArgumentParser(prog=f"carepost {name}", description=COMMANDS[name])
    module.add_arguments(parser)
    result: int = module.run(parser.parse_args(arguments[1:]))
    return result


def _usage() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {line}" for name, line in COMMANDS.items())
    return f"usage: carepost COMMAND [options]\n\n{rows}\n\n`carepost COMMAND --help` tells more."


def _platform() -> None:
    """One sentence, exit 2, where Carepost cannot run (DESIGN 2)."""
    linux = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"
    mac = sys.platform == "darwin" and platform.machine() == "arm64"
    if not (linux or mac):
        print("carepost: this system is not supported: use Linux with glibc (or macOS on arm64).", file=sys.stderr)
        sys.exit(2)


def home_argument(parser: argparse.ArgumentParser) -> None:
    """`--home`, by default CAREPOST_HOME, else ./var."""
    parser.add_argument("--home", type=Path, default=None, help="home folder (default: CAREPOST_HOME, else ./var)")


def home_path(args: argparse.Namespace) -> Path:
    named: Path | None = args.home
    return (named or Path(os.environ.get("CAREPOST_HOME") or "var")).absolute()


if __name__ == "__main__":
    sys.exit(main())
