"""`carepost headers FILE`: what the header of a message says and what of it can be proved. Nothing is kept.

DNS is asked by a running engine; without one the trail is read, and what only DNS knows is said to be unknown."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from carepost.cli import local
from carepost.cli.main import home_argument, home_path
from carepost.crypto import examine, sender
from carepost.crypto.examine import Examined
from carepost.ground import clock
from carepost.ground.errors import ConfigError
from carepost.intake.client import Client
from carepost.rfc.asking import FAILED, Found, Question
from carepost.rfc.asking import run as carry_out

_MARKS = {"good": "+", "wait": "?", "bad": "!", "plain": "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the message as saved by a mail program, or - for standard input")
    home_argument(parser)
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(args: argparse.Namespace) -> int:
    found = carry_out(examine.examine(_read(args.file), clock.now() // 1_000_000), _Dns(args))
    if args.json:
        print(msgspec.json.encode(_plain(found)).decode())
    else:
        print(_words(found))
    return 0


class _Dns:
    """A running engine's resolver; nothing is known where there is no home or no engine."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._asked: dict[Question, Found] = {}
        self._client: Client | None = None
        try:
            self._client = local.Local(home_path(args)).client
        except ConfigError:
            pass

    def __call__(self, question: Question) -> Found:
        if question not in self._asked:
            if self._client is None or sender.beyond(self._asked, question):
                self._asked[question] = FAILED
            else:
                self._asked[question] = self._client.ask(question)
        return self._asked[question]


def _read(name: str) -> bytes:
    try:
        raw = sys.stdin.buffer.read(examine.MOST + 1) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None
    if len(raw) > examine.MOST:
        raise ConfigError(f"{name} is larger than 25 MB.")
    return raw


def _plain(found: Examined) -> dict[str, object]:
    values: dict[str, object] = msgspec.to_builtins(msgspec.structs.replace(found, raw=b""))
    del values["raw"]
    return values


def _words(found: Examined) -> str:
    lines = [
        f"From        {found.author}",
        f"Message-ID  {found.message_id or 'none'}",
        "",
        "Trail, in order of travel",
    ]
    left_out = found.lines - len(found.hops)
    for number, hop in enumerate(found.hops):
        if left_out and number == len(found.hops) // 2:
            lines.append(f"  ... {left_out} more lines")
        at = f"{datetime.fromtimestamp(hop.at / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC" if hop.at else "no date"
        late = "" if hop.delay is None else f"  ({hop.delay:+d} s)"
        where = f"{hop.named or '?'} [{hop.address or '?'}] -> {hop.by or '?'}"
        lines.append(f"  {at}{late}  {where}  {hop.protocol}")
    if not found.hops:
        lines.append("  none")
    lines += ["", "Signatures"]
    lines += [f"  {one.domain or '?'}: {one.result}; it {examine.reason(one)}" for one in found.proved.dkim] or [
        "  none"
    ]
    lines += ["", "What can and cannot be concluded"]
    lines += [f"  {_MARKS[one.tone]} {one.heading}\n      {one.words}" for one in found.findings]
    return "\n".join(lines)
