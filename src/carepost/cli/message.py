"""`carepost message`: finds messages, and sends one again. Each look is on record, as in the console."""

import argparse

from carepost.cli.office import entry

_WORDS = {
    "recipient": "an address or a domain", "sender": "an address", "subject": "words of the subject",
    "domain": "the recipient's domain", "provider": "group of the recipient's mail servers", "tag": "a tag",
    "state": "queued, deferred, held, sent, deposited, opened, expired, retracted, failed, suppressed or tested",
    "method": "tls, smime, openpgp or portal", "assurance": "the protection reached, as VERIFIED",
    "category": "transactional, operational, marketing or system", "message-id": "the header's, or our id",
    "content": "what a look into it found, several with commas: phi-high, phi-likely, pii-only, health-generic, none "
    "or unknown",
    "engaged": "opened, clicked, not-opened or not-clicked: of mail that is watched",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    search = entry.verb(verbs, "search", "messages that have all of what is given, newest first")
    search_arguments(search)
    search.add_argument("--limit", type=int, default=50, help="messages at most (50)")
    search.add_argument("--all", action="store_true", help="also notices and reports that Carepost made itself")
    again = entry.verb(verbs, "resend", "send a message again, as a new one, while its content is still held")
    again.add_argument("message", metavar="ID")
    again.add_argument("--delivery", action="append", default=[], metavar="ID", help="this recipient's delivery alone")
    again.add_argument("--as-today", action="store_true", help="by today's rules, also where they ask for less")
    entry.reason(again)


def search_arguments(parser: argparse.ArgumentParser) -> None:
    """What messages are found by; `cli.office.message.wanted` reads it."""
    for name, words in _WORDS.items():
        parser.add_argument(f"--{name}", default="", help=words)
    parser.add_argument("--since", default="", help="accepted at or after, as 2026-12-01T00:00Z")
    parser.add_argument("--until", default="", help="accepted before")


def run(args: argparse.Namespace) -> int:
    return entry.run("message", args)
