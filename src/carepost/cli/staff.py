"""`carepost staff`: people, their roles, and the one-time links they first sign in with."""

import argparse

from carepost.cli.office import entry

_ROLES = ["administrator", "operator", "auditor", "sender"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "add a person and print their one-time sign-in link")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", required=True)
    add.add_argument("--role", required=True, choices=_ROLES)
    entry.reason(add, required=False)
    link = entry.verb(verbs, "link", "a new one-time link; password and second factor are taken away")
    grant = entry.verb(verbs, "grant", "give a role")
    revoke = entry.verb(verbs, "revoke", "take a role")
    disable = entry.verb(verbs, "disable", "end sessions, keys, credentials and sign-in of a person, in one call")
    for made in (link, grant, revoke, disable):
        made.add_argument("email", metavar="EMAIL")
        entry.reason(made)
    for made in (grant, revoke):
        made.add_argument("role", choices=_ROLES)
    entry.verb(verbs, "list", "everybody who works here")


def run(args: argparse.Namespace) -> int:
    return entry.run("staff", args)
