"""A journal that makes one segment of a day's, to be killed: the search index of a real home, in its file or in
PostgreSQL.

python joining.py HOME make [URL]      a day long over, in some segments
python joining.py HOME run [FAULT]     what a search finds now, then parts until none is left; FAULT: point:number,
                                       SIGKILL at the so-many-th passing of the point"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from carepost.ground import home
from carepost.ground.keys import MasterKeyring
from carepost.settings import migrate
from tests.crash.journal import Fatal, Killer, enter

DAY, MESSAGES, WORDS = 20_000, 60, 7


def entries(number: int) -> list[bytes]:
    words = {number % WORDS, number * 3 % WORDS, number * 5 % 11 + WORDS}
    return [word.to_bytes(8, "big") + number.to_bytes(16, "big") for word in words]


def opened(at: Path) -> tuple[Any, Any]:
    """(the store, `archive.segments` with blocks so small that a day has many)."""
    made, settings, keys = enter(at)
    segments = import_module("carepost.archive.segments")
    segments.BLOCK, segments.FAN, segments._AHEAD = 5, 4, 2
    return import_module("carepost.journal.run").open_store(made, settings, keys), segments


def make(at: Path, url: str = "") -> None:
    made = home.create(at, shards=1, sandbox=True)
    if url:
        (at / "carepost.toml").write_text(f"database_url = {json.dumps(url)}\n")
    MasterKeyring.create(made.keyring())
    enter(at, "migrate")
    migrate.migrate(made)
    org = import_module("tests.support.mailroom").clinic("maple", "maple.test").pk.bytes
    (at.parent / "org").write_text(org.hex())


def fill(at: Path) -> None:
    store, segments = opened(at)
    org = bytes.fromhex((at.parent / "org").read_text())
    for first in range(1, MESSAGES + 1, 6):
        with store.writing():
            part = [entry for number in range(first, first + 6) for entry in entries(number)]
            segments.add(store, org, DAY, part)


def run(at: Path, fault: str) -> None:
    store, segments = opened(at)
    org = bytes.fromhex((at.parent / "org").read_text())
    joining = import_module("carepost.archive.joining")
    joining.BLOCKS = 10
    with store.reading(org):
        for word in range(WORDS):
            asked = [word.to_bytes(8, "big")]
            found = segments.find(store, org, DAY, [asked], b"\xff" * 16, 1000)
            there = [n for n in range(MESSAGES, 0, -1) if any(e.startswith(asked[0]) for e in entries(n))]
            assert [int.from_bytes(one, "big") for one in found] == there, word
    work = joining.Joining(Fatal(store, Killer(fault), "part"))
    while work.step():
        pass
    with store.reading(org):
        levels = [int(level) for (level,) in store.rows("SELECT level FROM archive_segment")]
        blocks = store.rows("SELECT entries FROM archive_block ORDER BY first")
    everything = sorted(entry for number in range(1, MESSAGES + 1) for entry in entries(number))
    whole = b"".join(bytes(block) for (block,) in blocks) == b"".join(everything)
    print(json.dumps({"levels": levels, "whole": whole}))


if __name__ == "__main__":
    folder, verb, *more = sys.argv[1:]
    {"make": make, "fill": fill, "run": run}[verb](Path(folder), *more)
