"""`carepost rule`: protection rules. Every change is a new version with its reason."""

import argparse

from carepost.cli.office import entry

_LEVELS = ["NONE", "ENCRYPTED", "MAILBOX", "VERIFIED", "AUTHENTICATED", "MESSAGE"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    by_mail = entry.verb(verbs, "portal-by-mail", "whether a code sent by e-mail alone opens the portal")
    by_mail.add_argument("state", choices=["on", "off"])
    add = entry.verb(verbs, "add", "add a rule, or replace the one of this name")
    add.add_argument("name", metavar="NAME")
    says = add.add_argument_group("what it says")
    says.add_argument(
        "--floor", choices=_LEVELS, help="the least that is needed; below VERIFIED with --attestation only"
    )
    says.add_argument("--tls", choices=["opportunistic", "forced", "exclusive"])
    says.add_argument("--method", action="append", default=[], choices=["tls", "smime", "openpgp", "portal"])
    says.add_argument("--action", choices=["hold", "refuse"], default="")
    says.add_argument(
        "--attestation", default="", help="that no PHI is sent, or the person's stored preference; sealed"
    )
    where = add.add_argument_group("where it applies (what is not given matches all)")
    where.add_argument("--unit", metavar="UNIT")
    where.add_argument("--sender-domain", default="", metavar="DOMAIN")
    where.add_argument("--sender", default="", metavar="ADDRESS")
    where.add_argument("--recipient-domain", default="", metavar="DOMAIN")
    where.add_argument("--recipient", default="", metavar="ADDRESS")
    where.add_argument("--category", default="", choices=["transactional", "operational", "marketing", "system"])
    where.add_argument("--data-class", default="", choices=["ordinary", "part2", "psychotherapy", "none-attested"])
    where.add_argument("--position", type=int, default=100, help="lower ones are named first (default 100)")
    remove = entry.verb(verbs, "remove", "take a rule away")
    remove.add_argument("name", metavar="NAME")
    for made in (by_mail, add, remove):
        entry.reason(made)
    entry.verb(verbs, "list", "the rules in force")
    entry.verb(verbs, "versions", "all versions, with time and author (reasons are in the audit log)")


def run(args: argparse.Namespace) -> int:
    return entry.run("rule", args)
