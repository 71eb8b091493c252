"""What sealing a message with OpenPGP costs beside the library's bare encryption of the same bytes.

    .venv/bin/python bench/openpgp_bench.py [--rounds N] [--json]

Pairs are measured turn by turn in one process, in CPU time, each side by its quietest round: what else the machine does
counts as little as can be.
The target is 1.5, with header protection, our judgement of the certificate, the check of what was made, and MIME. The
header was read before, as the door has when a message comes to be sealed."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

import pysequoia

from carepost.crypto.openpgp import certificate, keys, message, usable
from carepost.rfc import compose
from carepost.rfc import message as rfc_message
from carepost.rfc.address import Mailbox

SIZES = (2_000, 10_000, 100_000)
TARGET = 1.5
#: as the supervisor gives them to its engines: blocks of a hundred kilobytes come from the heap, not from the system
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "8388608", "MALLOC_TOP_PAD_": "1048576"}


def letter(size: int) -> bytes:
    return compose.build(
        from_=Mailbox("Ada Example", "ada@clinic.test"),
        to=[Mailbox("Ben Example", "ben@home.test")],
        subject="Your results",
        text="All values are as they should be, and nothing is to be done. \n" * (size // 62),
        message_id="<1@clinic.test>",
        at=time.time_ns() // 1000,
    )


def turn(ask: Callable[[], object], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        ask()
    return (time.process_time() - begin) / times * 1e6


def pair(bare: Callable[[], object], ours: Callable[[], object], rounds: int, times: int) -> dict[str, float]:
    """Microseconds a message, each in its quietest round, and the ratio of the two."""
    turn(bare, times), turn(ours, times)
    found = [(turn(bare, times), turn(ours, times)) for _ in range(rounds)]
    library, own = (min(times) for times in zip(*found, strict=True))
    return {"library_us": round(library, 1), "ours_us": round(own, 1), "ratio": round(own / library, 2)}


def measure(rounds: int) -> list[dict[str, object]]:
    now = time.time_ns() // 1000
    sender = keys.generate([("Ada Example", "ada@clinic.test")])
    signer = keys.signer(sender, "ada@clinic.test", now)
    rows: list[dict[str, object]] = []
    for suite in ("curve25519", "rsa3072", "p256"):
        owner = keys.generate([("Ben Example", "ben@home.test")], suite=suite)
        to = [("ben@home.test", owner.certificate)]
        known = pysequoia.Cert.from_bytes(owner.certificate.raw)
        for size in SIZES:
            raw = letter(size)
            head = rfc_message.Head.of(rfc_message.read(raw), 0)
            for name, who in (("encrypt", None), ("encrypt+sign", signer)):
                row: dict[str, object] = {"key": suite, "bytes": len(raw), "what": name}
                row.update(
                    pair(
                        lambda raw=raw, who=who, known=known: pysequoia.encrypt(raw, [known], who),
                        lambda raw=raw, who=who, to=to, head=head: message.seal(
                            raw, to, at=now, signer=who, known=head
                        ),
                        rounds,
                        max(3, 20_000 // len(raw)),
                    )
                )
                rows.append(row)
        sealed = message.seal(letter(10_000), to, at=now, signer=signer)
        opened = turn(lambda s=sealed, o=owner: message.open_(s, [o], [sender.certificate], at=now), 50)
        rows.append({"key": suite, "bytes": 10_000, "what": "open+verify", "ours_us": round(opened, 1)})
        raw_key = owner.certificate.raw
        rows.append(
            {"key": suite, "bytes": len(raw_key), "what": "read certificate",
             "ours_us": round(turn(lambda r=raw_key: certificate.read(r), 50), 1)}
        )  # fmt: skip
        judged = turn(lambda c=owner.certificate: usable.why_not(c, "ben@home.test", now), 2_000)
        rows.append({"key": suite, "bytes": len(raw_key), "what": "judge certificate", "ours_us": round(judged, 1)})
    return rows


def main() -> int:
    if any(os.environ.get(name) != value for name, value in MALLOC.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **MALLOC})
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=150)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    rows = measure(given.rounds)
    if given.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            bare = f"{row['library_us']:>10} µs bare" if "ratio" in row else " " * 18
            ratio = f"  × {row['ratio']}" if "ratio" in row else ""
            print(f"{row['key']!s:<11}{row['bytes']!s:>8} B  {row['what']!s:<18}{bare}{row['ours_us']:>10} µs{ratio}")
    worst = max(float(str(row["ratio"])) for row in rows if "ratio" in row)
    if not given.json:
        print(f"worst ratio {worst}, target {TARGET}")
    return 0 if worst <= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
