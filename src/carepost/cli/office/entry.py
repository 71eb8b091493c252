"""The way from a parsed command into the office, and what all its commands share. Never imports Django itself."""

import argparse
import importlib
import json
from collections.abc import Mapping, Sequence

from carepost.cli.main import home_argument, home_path
from carepost.settings import boot

Verbs = argparse._SubParsersAction  # what add_subparsers returns has no public name


def verbs(parser: argparse.ArgumentParser) -> "Verbs[argparse.ArgumentParser]":
    return parser.add_subparsers(dest="verb", required=True, metavar="VERB")


def verb(all_: "Verbs[argparse.ArgumentParser]", name: str, words: str, *, org: bool = True) -> argparse.ArgumentParser:
    """A verb with `--home`, `--json`, and `--org` where it applies."""
    made = all_.add_parser(name, help=words, description=words)
    home_argument(made)
    if org:
        made.add_argument("--org", metavar="ORG", help="short name or id (default: the only one there is)")
    made.add_argument("--json", action="store_true", help="print JSON for programs")
    return made


def reason(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--reason", required=required, default="", help="why, in words; kept in the audit log, sealed")


def run(noun: str, args: argparse.Namespace) -> int:
    """Enters Django on the home and runs `carepost.cli.office.<noun>`. Raises what main turns into one sentence."""
    boot.setup("command", at=home_path(args))
    module = importlib.import_module(f"carepost.cli.office.{noun}")
    done: int = module.run(args)
    return done


def show(rows: Sequence[Mapping[str, object]], args: argparse.Namespace, empty: str) -> int:
    """A table, or JSON with `--json`."""
    if args.json:
        print(json.dumps(list(rows), indent=2))
        return 0
    if not rows:
        print(empty)
        return 0
    heads = list(rows[0])
    cells = [[_cell(row[h]) for h in heads] for row in rows]
    widths = [max(len(h), *(len(line[i]) for line in cells)) for i, h in enumerate(heads)]
    print("  ".join(h.replace("_", " ").ljust(w) for h, w in zip(heads, widths, strict=True)).rstrip())
    for line in cells:
        print("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())
    return 0


def done(sentence: str, result: Mapping[str, object], args: argparse.Namespace) -> int:
    """What was done: a sentence, or JSON with `--json`."""
    print(json.dumps(dict(result), indent=2) if args.json else sentence)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(one) for one in value)
    return str(value)
