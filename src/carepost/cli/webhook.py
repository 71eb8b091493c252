"""`carepost webhook`: addresses of your own programs that are told what happens to mail."""

import argparse

from carepost.cli.office import entry

RESULTS = ("sent", "again", "gave-up", "left-out")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "tell an address of events; prints its secret, once")
    add.add_argument("url", metavar="URL")
    _settings(add)
    entry.verb(verbs, "list", "all webhooks, and how their calls go")
    show = entry.verb(verbs, "show", "one webhook, its keys and filters")
    change = entry.verb(verbs, "set", "change a webhook")
    rotate = entry.verb(verbs, "rotate", "a new secret; the old one counts on for a while")
    rotate.add_argument("--overlap", type=int, default=24, metavar="HOURS", help="0 to 168 (default: 24)")
    pause = entry.verb(verbs, "pause", "tell it nothing for now")
    resume = entry.verb(verbs, "resume", "tell it again, and first what it missed")
    resume.add_argument("--skip", action="store_true", help="leave out what it missed")
    test = entry.verb(verbs, "test", "one call that tells of a test alone")
    replay = entry.verb(verbs, "replay", "tell it again of one event, or of a time")
    replay.add_argument("--event", metavar="ID", default="", help="the id of one event")
    replay.add_argument("--since", metavar="TIME", default="", help="like 2026-11-22T08:00:00Z")
    replay.add_argument("--until", metavar="TIME", default="", help="(default: now)")
    log = entry.verb(verbs, "log", "what it was told, newest first")
    log.add_argument("--result", choices=RESULTS, default="")
    log.add_argument("--limit", type=int, default=50, metavar="N")
    agree = entry.verb(verbs, "agreement", "put an agreement on file, so that it is told what is personal; or end it")
    agree.add_argument("--reference", metavar="WORDS", default="")
    agree.add_argument("--date", metavar="YYYY-MM-DD", default="")
    agree.add_argument("--with", dest="party", metavar="WORDS", default="", help="the party it was made with")
    agree.add_argument("--end", action="store_true", help="nothing personal is told any more")
    remove = entry.verb(verbs, "remove", "it is told nothing any more")
    for one in (show, change, rotate, pause, resume, test, replay, log, agree, remove):
        one.add_argument("id", metavar="ID")
    change.add_argument("--url", metavar="URL")
    _settings(change)
    for one in (pause, remove):
        entry.reason(one, required=False)


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME")
    parser.add_argument("--format", choices=("carepost", "sendgrid"))
    for name, words in (
        ("event", "a kind of event, or delivery.*; again for more ('' for all)"),
        ("category", "category of the message; again for more ('' for all)"),
        ("tag", "tag of the message; again for more ('' for all)"),
        ("domain", "domain of the sender; again for more ('' for all)"),
    ):
        parser.add_argument(f"--{name}", action="append", metavar=name.upper(), help=words)


def run(args: argparse.Namespace) -> int:
    return entry.run("webhook", args)
