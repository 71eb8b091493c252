"""Every throughput goal as a row: Carepost beside Postfix in one run, or against its own bar by HTTP.

    python bench/throughput.py                         all rows, one round each; a row that was measured is not repeated
    python bench/throughput.py --rows rsa-20,delay     these rows
    python bench/throughput.py --again --rounds 3      anew, in alternating rounds; the median of the rounds counts
    python bench/throughput.py --show                  what was measured so far, and which goal it meets

Needs what bench/run.py needs. Results stand in bench/out/throughput.json: a run that was cut goes on where it stopped.
Rows of two minutes at most; ratios of one row are of one run, and only they mean anything."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import run
from carepost_home import Carepost

RESULTS = run.HERE / "out" / "throughput.json"
#: row -> what differs from a relay of 10 KB messages with Ed25519, both sides verified TLS
RELAYS: dict[str, dict[str, Any]] = {
    "relay-20": {"sessions": 20, "ratio": 4.0},
    "relay-100": {"sessions": 100, "ratio": 6.0},
    "rsa-20": {"sessions": 20, "dkim": "rsa", "ratio": 3.0},
    "rsa-100": {"sessions": 100, "dkim": "rsa", "ratio": 4.0},
    "smime-20": {"sessions": 20, "smime": True, "ratio": 3.0},
    "rules-20": {"sessions": 20, "rules": "many", "ratio": 2.5},
    "content-20": {"sessions": 20, "rules": "content", "share": 0.5, "ratio": 1.0},
    "kb100-20": {"sessions": 20, "kb": 100, "share": 0.4, "ratio": 1.5},
    "delay": {"sessions": 100, "delay": 50, "connections": 100, "ratio": 3.0},
    "paced": {"sessions": 20, "rate": 100.0, "share": 0.5, "latency": 1 / 3},
}
#: row -> messages a request, connections, engines, seconds, messages a second asked
SENDS = {"http": (1, 32, 1, 5, 2500.0), "batch": (1000, 4, 2, 15, 5000.0)}


def options_of(row: dict[str, Any], messages: int) -> argparse.Namespace:
    return argparse.Namespace(
        messages=int(messages * row.get("share", 1)), kb=row.get("kb", 10), rate=row.get("rate", 0.0),
        delay=row.get("delay", 0), users=10 if row.get("smime") else 1000, connections=row.get("connections", 20),
    )  # fmt: skip


def relay(row: dict[str, Any], work: Path, rounds: int, messages: int) -> dict[str, Any]:
    options = options_of(row, messages)
    carepost = Carepost(
        work, run.SINK_PORT, dkim=row.get("dkim", "ed25519"), smime_users=options.users if row.get("smime") else 0,
        settings={"destination_connections": str(options.connections)}, rules=row.get("rules", ""),
    )  # fmt: skip
    carepost.prepare()
    theirs, ours = [], []
    for _ in range(rounds):
        theirs += run.postfix_round(work, [row["sessions"]], options)
        run.show("postfix", theirs[-1])
        ours += run.carepost_round(carepost, work, [row["sessions"]], options)
        run.show("carepost", ours[-1])
    pairs = list(zip(ours, theirs, strict=True))

    def ratio(name: str) -> float:
        return statistics.median(a[name] / max(b[name], 1e-9) for a, b in pairs)

    found = {name: round(ratio(name), 3) for name in ("msg_s", "cpu_per_1000", "ack_p99", "p50", "p99")}
    bad = sum(a["missing"] + a["doubled"] + a["failed"] for a in ours)
    return {"ratios": found, "missing or doubled": bad, "carepost": ours, "postfix": theirs}


def send(name: str, work: Path) -> dict[str, Any]:
    batch, connections, engines, seconds, _ = SENDS[name]
    carepost = Carepost(work, run.SINK_PORT, engines=engines)
    carepost.prepare()
    script = "http_batch.lua" if batch > 1 else "http_send.lua"
    said = run.http(carepost, work, seconds, connections=connections, script=script)
    words = said.split()
    return {"msg_s": float(words[0]), "p99": float(words[words.index("p99") + 1]), "said": said}


def goals(name: str, found: dict[str, Any]) -> list[tuple[str, float, bool]]:
    """(what is asked, what was found, whether it is met)."""
    if name in SENDS:
        least = SENDS[name][-1]
        return [(f"messages/s >= {least:.0f}", found["msg_s"], found["msg_s"] >= least)]
    row, ratios = RELAYS[name], found["ratios"]
    asked = []
    if "ratio" in row:
        asked.append((f"messages/s >= {row['ratio']} x", ratios["msg_s"], ratios["msg_s"] >= row["ratio"]))
    if "latency" in row:
        asked += [(f"{p} <= 1/3", ratios[p], ratios[p] <= row["latency"]) for p in ("p50", "p99")]
    if name.startswith("relay"):
        asked.append(("CPU a message <= 1/3", ratios["cpu_per_1000"], ratios["cpu_per_1000"] <= 1 / 3))
        asked.append(("acknowledged p99 <= 1", ratios["ack_p99"], ratios["ack_p99"] <= 1))
        asked.append(("end to end p99 <= 1/20", ratios["p99"], ratios["p99"] <= 0.05))
    asked.append(("missing or doubled: none", found["missing or doubled"], not found["missing or doubled"]))
    return asked


def shown(name: str, found: dict[str, Any]) -> bool:
    met = True
    for words, value, good in goals(name, found):
        met = met and good
        print(f"{name:<10} {'met   ' if good else 'MISSED'} {words:<28} found {value:.3f}", flush=True)
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join([*RELAYS, *SENDS]))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    wanted = options.rows.split(",")
    unknown = [name for name in wanted if name not in RELAYS and name not in SENDS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; rows: {', '.join([*RELAYS, *SENDS])}")
    known: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    work = run.HERE / "out"
    if not options.show:
        run.need("cc", "openssl", "postfix", "wrk")
        run.build(work)
        for name in wanted:
            if name in known and not options.again:
                continue
            made = relay(RELAYS[name], work, options.rounds, options.messages) if name in RELAYS else send(name, work)
            commit = subprocess.run(
                ["git", "rev-parse", "--short", "HEAD"], cwd=run.HERE, capture_output=True, text=True
            )
            known[name] = {**made, "at": time.strftime("%Y-%m-%dT%H:%M"), "commit": commit.stdout.strip()}
            RESULTS.write_text(json.dumps(known, indent=1))
    met = [shown(name, known[name]) for name in wanted if name in known]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
