"""One sample message to one person in each sandbox domain, through the REST door, and what became of each."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec

from carepost.ground.errors import NotFound, Unavailable
from carepost.processes import outgoing
from carepost.processes.running import Running
from carepost.sandbox import people
from carepost.sandbox.expected import BY_DOMAIN, differs
from carepost.sandbox.people import Sample

#: all sample deliveries are where they stay, or retry, within this many seconds
PATIENCE = 40.0
_ROUND = 0.25


class Row(msgspec.Struct):
    """One line of the table; `problem` says what differs from what DESIGN 6 expects, "" when nothing does."""

    sample: Sample
    message: str
    delivery: str
    offers: str = ""
    state: str = ""
    method: str = ""
    assurance: str = ""
    why: str = ""
    reply: str = ""
    rule: str = ""
    attempts: int = 0
    problem: str = "nothing happened yet"


class Api:
    """The REST API of a running home, with one key."""

    def __init__(self, running: Running) -> None:
        self._base, self._key = running.near, running.bootstrapped.api_key
        own = outgoing.tls_folder(running.home, running.config) / "ca.pem"
        self._trust = ssl.create_default_context(cafile=own if own.exists() else None)

    def post(self, path: str, body: bytes) -> Any:
        return msgspec.json.decode(self._call(path, body))

    def get(self, path: str) -> Any:
        return msgspec.json.decode(self._call(path))

    def raw(self, path: str) -> bytes:
        return self._call(path)

    def proof(self, row: "Row") -> bytes:
        """Waits for the journal, which files what the engine answered for. Raises Unavailable after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._call(f"/api/v1/messages/{row.message}/proof?delivery={row.delivery}")
            except NotFound:
                if time.monotonic() > deadline:
                    raise Unavailable("api", f"No proof of {row.message} after {PATIENCE:.0f} s.") from None
                time.sleep(_ROUND)

    def _call(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._base + path, data=body, headers={"Authorization": f"Bearer {self._key}"})  # noqa: S310  our own loopback address
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20, context=self._trust) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                raise NotFound(f"The API answered 404 to {path}.") from None
            raise Unavailable("api", f"The API answered {error.code} to {path}.") from None
        except OSError as error:
            raise Unavailable("api", f"The API at {self._base} does not answer ({error}).") from None


def send(running: Running, say: Callable[[str], None], samples: tuple[Sample, ...] = people.SAMPLES) -> list[Row]:
    """Sends them all, waits until each is where the table expects it (or PATIENCE is over), and tells."""
    api = Api(running)
    say(f"Sending {len(samples)} sample messages …")
    rows = []
    for sample in samples:
        body = msgspec.json.encode(people.request(sample))
        accepted = api.post("/api/v1/messages", body)
        delivery = accepted["deliveries"][0]["id"]
        rows.append(Row(sample, accepted["id"], delivery, offers=BY_DOMAIN[sample.domain].offers))
    deadline = time.monotonic() + PATIENCE
    while any(row.problem for row in rows) and time.monotonic() < deadline:
        for row in rows:
            if row.problem:
                _look(api, row)
        time.sleep(_ROUND)
    return rows


def _look(api: Api, row: Row) -> None:
    found = api.get(f"/api/v1/messages/{row.message}")["deliveries"][0]
    attempts = found.get("attempts", [])
    row.state, row.method, row.assurance = found["state"], found["method"], found["assurance"]
    row.rule, row.attempts = found["rule"], len(attempts)
    changed = next((a["words"] for a in reversed(attempts) if a["result"] == "next-method"), "")
    row.why = changed if changed and row.state == "deposited" else found["words"]
    row.reply = next((a["reply"] for a in reversed(attempts) if a["reply"]), "")
    expected = BY_DOMAIN[row.sample.domain]
    row.problem = differs(
        expected, code=bool(row.sample.code), state=row.state, method=row.method, assurance=row.assurance, rule=row.rule
    )
    if not row.problem and expected.attempts and row.attempts < expected.attempts:
        row.problem = f"{expected.attempts} attempts (not {row.attempts})"


def table(rows: list[Row]) -> str:
    """recipient · what the recipient's side offers · method · assurance · why · remote reply."""
    head = ("recipient", "the recipient's side", "method", "assurance", "why", "remote reply")
    lines = [
        (
            row.sample.address,
            row.offers,
            row.method if row.state in ("sent", "deposited") else row.state,
            row.assurance or "-",
            f"{row.why.partition('. ')[0].removesuffix('.')} [{row.rule}]",
            row.reply or "-",
        )
        for row in rows
    ]
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(4)]
    widths += [min(108, max(len(line[4]) for line in [head, *lines])), 36]
    out = [_line(head, widths), "  ".join("-" * width for width in widths)]
    out += [_line(line, widths) for line in lines]
    return "\n".join(out)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(_cut(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
