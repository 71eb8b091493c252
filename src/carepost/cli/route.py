"""`carepost route`: pinned next hops."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "send a domain's mail to one host, AUTHENTICATED when its certificate fits")
    add.add_argument("domain", metavar="DOMAIN")
    add.add_argument("host", metavar="HOST:PORT")
    add.add_argument("--ca", metavar="FILE", help="PEM of the CA to trust for it (default: the system's)")
    add.add_argument(
        "--key", action="append", metavar="SHA256", default=[],
        help="SHA-256 (hex) of the public key its certificate must hold; may be given again for the next one",
    )  # fmt: skip
    add.add_argument("--else-hold", action="store_true", help="hold the message where the host does not prove itself")
    entry.reason(add, required=False)
    remove = entry.verb(verbs, "remove", "let DNS decide again")
    remove.add_argument("domain", metavar="DOMAIN")
    entry.reason(remove, required=False)
    entry.verb(verbs, "list", "all pinned next hops")


def run(args: argparse.Namespace) -> int:
    return entry.run("route", args)
