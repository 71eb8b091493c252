"""`carepost demo`: the main job on a throwaway home, in under 60 s; exit 0 only if every row is what was expected."""

import argparse
import os
import random
import socket
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import msgspec

from carepost.ground import log
from carepost.processes import samples
from carepost.processes.running import Running
from carepost.processes.samples import Api, Row
from carepost.proof.verify import verify
from carepost.sandbox import people

_PORTS = ("api", "console", "portal", "submission", "submission_tls", "mx", "sandbox_dns")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document for programs, nothing else")


class Checked(msgspec.Struct):
    """One row of the answer to `--json`."""

    recipient: str
    offers: str
    state: str
    method: str
    assurance: str
    why: str
    rule: str
    reply: str
    attempts: int
    proof: str
    problem: str


def run(args: argparse.Namespace) -> int:
    log.start("demo", sys.stderr)
    began = time.monotonic()

    def say(line: str) -> None:
        print(line, file=sys.stderr if args.json else sys.stdout, flush=True)

    with tempfile.TemporaryDirectory(prefix="carepost-demo-") as folder:
        # what is set for the home of this machine (its keyring, its database, where it listens) is none of the demo's
        mine = {name: value for name, value in os.environ.items() if not name.startswith("CAREPOST_")}
        environ = {**mine, **_free_ports()}
        with Running(Path(folder) / "home", environ, sandbox=True, say=say) as running:
            rows = samples.send(running, say, people.SAMPLES + people.WITHOUT_CODE)
            say("")
            say(samples.table(rows))
            api = Api(running)
            checked = [_check(api, row) for row in rows]
    wrong = [row for row in checked if row.problem]
    seconds = time.monotonic() - began
    if args.json:
        out = {"ok": not wrong, "seconds": round(seconds, 1), "rows": checked}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(out)) + b"\n")
    for row in wrong:
        say(f"not as expected: {row.recipient}: {row.problem}")
    say(f"\n{len(checked) - len(wrong)} of {len(checked)} as expected, every proof verified offline, {seconds:.0f} s")
    return 1 if wrong else 0


def _check(api: Api, row: Row) -> Checked:
    """The proof of one delivery, verified with the kernel alone, against the mail in the recipient's inbox if there."""
    proof, problem = "", row.problem
    raw = api.proof(row)
    mail = _inbox(api, row) if row.state == "sent" else None
    verdict = verify(raw, mail, None)
    proof = verdict.words
    if not verdict.ok:
        problem = problem or f"proof: {verdict.words}"
    if row.state == "sent" and mail is None:
        problem = problem or "the mail is not in the recipient's inbox"
    return Checked(
        recipient=row.sample.address,
        offers=row.offers,
        state=row.state,
        method=row.method,
        assurance=row.assurance,
        why=row.why,
        rule=row.rule,
        reply=row.reply,
        attempts=row.attempts,
        proof=proof,
        problem=problem,
    )


def _inbox(api: Api, row: Row) -> bytes | None:
    query = urllib.parse.urlencode({"mailbox": row.sample.address})
    found = api.get(f"/sandbox/api/messages?{query}")
    messages = found["messages"] if isinstance(found, dict) else found
    return api.raw(f"/sandbox/api/messages/{messages[0]['id']}.eml") if messages else None


def _free_ports() -> dict[str, str]:
    """Ports nobody uses now, so that a demo runs beside a Carepost that is up. Below the range the system hands out by
    itself: there another program could be given one before we listen."""
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 500):
        if len(ports) < len(_PORTS) and _free(port):
            ports.append(port)
    return {f"CAREPOST_PORT_{name.upper()}": str(port) for name, port in zip(_PORTS, ports, strict=True)}


def _free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
