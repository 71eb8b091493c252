"""`carepost arrived ADDRESS`: did it arrive? In plain words, with the evidence and its limits; every look is kept."""

import argparse

from carepost.cli.main import home_argument
from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="the recipient's")
    parser.add_argument("--around", default="", help="roughly when, as 2026-12-01T12:00Z (default: any time)")
    parser.add_argument("--days", type=int, default=1, help="give or take so many days (1)")
    parser.add_argument("--subject", default="", help="words of the subject, if known")
    home_argument(parser)
    parser.add_argument("--org", metavar="ORG", help="short name or id (default: the only one there is)")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(args: argparse.Namespace) -> int:
    return entry.run("arrived", args)
