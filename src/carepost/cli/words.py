"""`carepost words`: what an organisation tells detection, a text to try it on, and what its people called wrong."""

import argparse

from carepost.cli.office import entry

_WHAT = ["word", "pattern", "phrase", "form", "kind", "sender", "recipient"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    entry.verb(verbs, "list", "words, patterns and exceptions in force; looking is an event")
    add = entry.verb(verbs, "add", "add one, or replace that of this kind and name; holds from the next message on")
    add.add_argument(
        "what", choices=_WHAT,
        help="word or pattern: counts; phrase or form (a pattern): nothing inside counts; kind: such findings never "
        "count; sender or recipient: not read",
    )  # fmt: skip
    add.add_argument("name", metavar="NAME", help="short, without anything personal: it stands in explanations")
    add.add_argument("text", metavar="TEXT", help="the word, pattern, text, kind, address or domain")
    add.add_argument("--identifier", action="store_true", help="counts as an identifier of a person, not as health")
    add.add_argument("--alone", action="store_true", help="it is enough alone")
    add.add_argument("--near", action="append", default=[], metavar="WORD", help="a pattern counts only near this word")
    entry.reason(add)
    remove = entry.verb(verbs, "remove", "take one away")
    remove.add_argument("name", metavar="NAME")
    entry.reason(remove)
    attempt = entry.verb(verbs, "try", "what is found in a text; needs a running Carepost, and keeps nothing")
    attempt.add_argument("file", metavar="FILE", help="UTF-8 text; - for standard input")
    attempt.add_argument("--subject", default="", metavar="TEXT")
    entry.verb(verbs, "reports", "what people called wrong, by value; looking is an event")
    entry.verb(verbs, "counts", "how often, by kind and place: figures alone")
    for name, words in (
        ("except", "this value of a report does not count any more"),
        ("dismiss", "put a report aside; a value that was excepted counts again"),
    ):
        one = entry.verb(verbs, name, words)
        one.add_argument("id", metavar="ID", help="as the list of reports shows it")
        entry.reason(one)


def run(args: argparse.Namespace) -> int:
    return entry.run("words", args)
