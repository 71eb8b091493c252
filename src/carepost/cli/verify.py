"""`carepost verify FILE`: what a stranger can check of a proof, offline. Loads kernel rooms only; opens no socket."""

import argparse
import sys
from pathlib import Path

import msgspec

from carepost.ground.errors import ConfigError
from carepost.proof.verdict import Moment, Verdict
from carepost.proof.verify import verify

HELP = "verify a proof offline, alone or against a received message"

#: bytes of a file we are ready to read
_LIMIT = 256 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the proof file (- reads standard input)")
    parser.add_argument("--message", metavar="EML", help="a mail as saved from an inbox, to be matched with the proof")
    parser.add_argument(
        "--key", metavar="FILE", help="the organisation's log key, as /.well-known/carepost-log gives it"
    )
    parser.add_argument("--json", action="store_true", help="the verdict as JSON")
    parser.epilog = "Exit status: 0 the proof holds, 1 it does not, 2 the command was not understood."


def run(args: argparse.Namespace) -> int:
    proof = _read(args.file)
    message = _read(args.message) if args.message else None
    key = _read(args.key).decode("utf-8", "replace") if args.key else None
    verdict = verify(proof, message, key)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(verdict), indent=1).decode())
    else:
        print("\n".join(map(_printable, _lines(verdict))))
    return 0 if verdict.ok else 1


def _read(name: str) -> bytes:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_LIMIT + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read ({error.strerror}); name a file that can.") from None
    if len(data) > _LIMIT:
        raise ConfigError(f"{name} is larger than any proof or mail; name the right file.")
    return data


def _lines(verdict: Verdict) -> list[str]:
    lines = [verdict.words, ""]
    lines += [f"  {'ok    ' if check.ok else 'FAILED'}  {check.name:<11} {check.words}" for check in verdict.checks]
    if not verdict.ok:
        return lines
    lines += ["", f"The delivery to {verdict.recipient}, in UTC:"]
    for moment in verdict.timeline:
        lines += _moment(moment)
    lines += ["", "What this proves:", *(f"  - {words}" for words in verdict.proves)]
    lines += ["", "What it does not prove:", *(f"  - {words}" for words in verdict.proves_not)]
    return lines


def _moment(moment: Moment) -> list[str]:
    lines = [f"  {moment.at}  {moment.words}" + (f" ({moment.cause})" if moment.cause else "")]
    facts = ", ".join(f"{name} {value}" for name, value in moment.facts.items())
    if facts:
        lines.append(f"{'':31}{facts}")
    if moment.wire and moment.wire.mx:
        said = f": {moment.wire.reply}" if moment.wire.reply else ""
        lines.append(f"{'':31}{moment.wire.mx} [{moment.wire.address}]{said}")
    return lines


def _printable(line: str) -> str:
    """A stranger's file reaches a terminal here: control characters are shown, not sent."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)
