"""`carepost rule`: protection rules. Each change is a new version with its reason; `try` shows what it would change."""

import argparse

from carepost.cli.office import entry

_LEVELS = ["NONE", "ENCRYPTED", "MAILBOX", "VERIFIED", "AUTHENTICATED", "MESSAGE"]
_CONTENT = ["none", "health-generic", "pii-only", "phi-likely", "phi-high", "bulk"]
_ATTACHED = ["any", "macro", "encrypted", "mismatch", "infected", "unscanned"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    by_mail = entry.verb(verbs, "portal-by-mail", "whether a code sent by e-mail alone opens the portal")
    by_mail.add_argument("state", choices=["on", "off"])
    add = entry.verb(verbs, "add", "add a rule, or replace the one of this name")
    remove = entry.verb(verbs, "remove", "take a rule away")
    restore = entry.verb(verbs, "restore", "make a new version with the rules of an earlier one")
    restore.add_argument("number", type=int, metavar="NUMBER")
    attempt = entry.verb(
        verbs, "try", "what a rule would change for the newest messages of the history; changes nothing"
    )
    for made in (add, attempt):
        made.add_argument("name", metavar="NAME")
        _says(made)
        _where(made)
    remove.add_argument("name", metavar="NAME")
    attempt.add_argument("--remove", action="store_true", help="try the policy without the rule of this name")
    attempt.add_argument(
        "--last", type=int, default=200, metavar="N", help="messages to try (default 200, at most 1000)"
    )
    for made in (by_mail, add, remove, restore):
        entry.reason(made)
    entry.verb(verbs, "list", "the rules in force")
    entry.verb(verbs, "versions", "all versions, with time, author and reason; looking is an event")
    written = entry.verb(verbs, "document", "the whole policy in words, as one document; looking is an event")
    written.add_argument("-o", "--output", metavar="FILE", help="write it there (Markdown) instead of showing it")
    written.add_argument(
        "--without-persons", action="store_true", help="no addresses, texts, reasons or names of rules"
    )
    show = entry.verb(verbs, "show", "what one version changed; looking is an event")
    show.add_argument("number", type=int, metavar="NUMBER")


def _says(parser: argparse.ArgumentParser) -> None:
    says = parser.add_argument_group("what it says")
    says.add_argument(
        "--floor", choices=_LEVELS, help="the least that is needed; below VERIFIED with --attestation only"
    )
    says.add_argument("--tls", choices=["opportunistic", "forced", "exclusive"])
    says.add_argument("--method", action="append", default=[], choices=["tls", "smime", "openpgp", "portal"])
    says.add_argument("--action", choices=["hold", "approve", "refuse"], default="")
    says.add_argument("--approvals", type=int, default=1, metavar="N", help="people who must approve (default 1)")
    says.add_argument("--held-hours", type=int, default=0, metavar="N", help="how long what is held waits")
    says.add_argument(
        "--held-then", choices=["refuse", "release", "keep"], default="", help="and what then (default: refuse)"
    )
    says.add_argument("--warn", action="store_true", help="ask the sender to check")
    says.add_argument("--ask-reason", action="store_true", help="refuse until the sender says why (X-Carepost-Reason)")
    says.add_argument("--redirect", default="", metavar="ADDRESS", help="send it there instead")
    says.add_argument("--copy", action="append", default=[], metavar="ADDRESS", help="send it there as well")
    says.add_argument("--strip-tracking", action="store_true", help="add no tracking")
    says.add_argument("--tag", action="append", default=[], metavar="TAG")
    says.add_argument("--words", default="", help="what the sender is told, in your own words; sealed")
    says.add_argument(
        "--attestation", default="", help="that no PHI is sent, or the person's stored preference; sealed"
    )
    says.add_argument(
        "--default",
        action="store_true",
        help="a setting that nearer ones override: organisation, unit, sender domain, sender; and recipient domain, "
        "recipient",
    )


def _where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("where it applies (what is not given matches all)")
    where.add_argument("--unit", metavar="UNIT")
    where.add_argument("--direction", default="", choices=["outbound", "inbound", "internal"])
    where.add_argument("--sender-domain", default="", metavar="DOMAIN")
    where.add_argument("--sender", default="", metavar="ADDRESS")
    where.add_argument("--recipient-domain", default="", metavar="DOMAIN")
    where.add_argument("--recipient", default="", metavar="ADDRESS")
    where.add_argument("--category", default="", choices=["transactional", "operational", "marketing", "system"])
    where.add_argument("--data-class", default="", choices=["ordinary", "part2", "psychotherapy", "none-attested"])
    where.add_argument("--header", default="", metavar="FIELD", help="a header field that is there")
    where.add_argument("--contains", default="", metavar="TEXT", help="text in that field")
    where.add_argument("--trigger", action="store_true", help="take the text (or field) out before it is sent")
    where.add_argument("--size-over", type=int, default=0, metavar="OCTETS")
    where.add_argument("--hours", default="", help='for example "not mon-fri 08:00-18:00 America/New_York"')
    where.add_argument("--level", action="append", default=[], choices=_CONTENT, help="what the text says")
    where.add_argument("--attachment", action="append", default=[], choices=_ATTACHED)
    where.add_argument("--skip-unknown", action="store_true", help="not where that is unknown; with --attestation only")
    where.add_argument("--position", type=int, default=100, help="lower ones are named first (default 100)")


def run(args: argparse.Namespace) -> int:
    return entry.run("rule", args)
