"""`carepost gateway`: connections in front of the organisation's own mail system."""

import argparse

from carepost.cli.office import entry

PROVIDERS = ("microsoft365", "google", "other")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "connect a mail system; prints the value of its secret header, once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--provider", choices=PROVIDERS, required=True)
    entry.reason(add, required=False)
    entry.verb(verbs, "list", "all connections, and how each step was last seen")
    change = entry.verb(verbs, "set", "change what a connection's mail system proves, and where mail goes")
    _which(change)
    change.add_argument("--mode", choices=("direct", "return"))
    change.add_argument("--domain", action="append", metavar="DOMAIN", help="a sender domain; again for more")
    change.add_argument("--name-shared", action="append", metavar="NAME", help="a name in the provider's certificate")
    change.add_argument("--network-shared", action="append", metavar="NETWORK", help="addresses of the provider")
    change.add_argument("--own-key", action="append", metavar="SHA256", help="key of your own client certificate")
    change.add_argument("--credential", metavar="USERNAME", help="SMTP credential your system signs in with")
    change.add_argument("--originator", metavar="DOMAIN", help="what X-OriginatorOrg says")
    change.add_argument("--host", metavar="HOST:PORT", help="your own mail host")
    change.add_argument("--ca", metavar="FILE", help="PEM of the CA that vouches for it")
    for name, words in (
        ("vouched", "your system sends on by verified TLS only (an attestation; give the reason)"),
        ("inbound", "mail from the world comes in here"),
        ("banner", "what was opened says so at its head"),
        ("forwards", "what a mailbox of yours forwards for somebody outside is taken, under your own address"),
        ("check-recipients", "your mail host is asked for each recipient of mail from the world before it is taken"),
    ):
        change.add_argument(f"--{name}", choices=("yes", "no"), help=words)
    entry.reason(change, required=False)
    login = entry.verb(verbs, "login", "how we sign in at your mail host; secrets are read from files")
    _which(login)
    login.add_argument("--kind", choices=("none", "password", "oauth"), required=True)
    for name in ("username", "token-url", "client-id", "scope"):
        login.add_argument(f"--{name}", default="")
    for name in ("password", "client-secret", "refresh-token", "certificate", "key"):
        login.add_argument(f"--{name}-file", metavar="FILE")
    entry.reason(login, required=False)
    for name, words in (
        ("rotate", "another secret beside the one in use; prints its value, once"),
        ("end-secret", "the older of two secrets counts no more"),
        ("steps", "the set-up step by step, with what to enter, and how each step was last seen"),
    ):
        _which(entry.verb(verbs, name, words))
    check = entry.verb(verbs, "check", "try every step now: DNS, your mail host, its certificate, sign-in, one mailbox")
    _which(check)
    check.add_argument("--mailbox", default="", metavar="ADDRESS", help="a mailbox of yours that is asked for there")
    check.add_argument("--send", action="store_true", help="hand a test message over that must come back here")
    remove = entry.verb(verbs, "remove", "nothing is taken by it any more")
    _which(remove)
    entry.reason(remove)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID")


def run(args: argparse.Namespace) -> int:
    return entry.run("gateway", args)
