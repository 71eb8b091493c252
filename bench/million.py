"""A million messages through one home: what each part of the run cost, and whether anything grew.

    python bench/million.py                              20 parts of 50,000, 10 KB, 20 sessions, in ./million
    python bench/million.py --folder /data/m --parts 4   four parts more; a run that was cut goes on in its home

Verified TLS in and out, encryption at rest, policy, audit and journal on. After each part, told and kept in
`million.json`: messages a second, microseconds of processor a message of each process, its PSS, RSS and highest RSS
(MB), events the journal has not acknowledged at the end of the load and seconds until it has, and what lies on disk
(GB). Ends with 1 where a message is missing or doubled, a process held more than --limit MB, or --minutes are over."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import run
from carepost_home import Carepost, behind
from cputree import TICK, tree
from memory_bench import kb

#: ports of its own beside those of the other benches, so that they can run meanwhile
PORTS = {"api": 18080, "console": 18081, "portal": 18082, "submission": 12587, "submission_tls": 12465, "mx": 12525}
SINK_PORT = 12526
#: recipients of a part, each once
USERS = 1_000_000
LAG_S = 600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("million"))
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=1_000, help="no more parts than these, this time")
    parser.add_argument("--part", type=int, default=50_000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0, help="no part begins after so many")
    parser.add_argument("--limit", type=float, default=400.0, help="MB a process may hold")
    options = parser.parse_args()
    run.need("cc", "openssl")
    work = options.folder.absolute()
    run.build(work)
    carepost, state = _home(work)
    # what is told to end ends its home too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end; begin again to go on"))
    until, bad = time.monotonic() + options.minutes * 60, False
    carepost.start()
    try:
        time.sleep(3)
        _memory(state["done"], _processes(carepost.pid))
        for _ in range(options.parts):
            if state["done"] >= options.messages or time.monotonic() > until:
                break
            row = _part(carepost, work, min(options.part, options.messages - state["done"]), options.sessions)
            state["done"] += row["messages"]
            state["rows"].append({"done": state["done"], **row})
            (work / "million.json").write_text(json.dumps(state, indent=1))
            _told(state["rows"][-1])
            bad = bad or bool(row["missing"] or row["doubled"] or row["failed"])
            bad = bad or any(one["highest"] > options.limit for one in row["processes"].values())
    finally:
        carepost.stop()
    if state["done"] < options.messages:
        print(f"{state['done']:,} of {options.messages:,} messages so far; begin again to go on", flush=True)
    return 1 if bad else 0


def _home(work: Path) -> tuple[Carepost, dict[str, Any]]:
    """The home as the last run left it, or a new one."""
    settings = {f"port_{name}": str(port) for name, port in PORTS.items()}
    carepost = Carepost(work, SINK_PORT, settings={**settings, "destination_connections": "20"})
    known = work / "million.json"
    if known.exists():
        state: dict[str, Any] = json.loads(known.read_text())
        carepost.auth = state["auth"]
    else:
        carepost.prepare()
        state = {"done": 0, "auth": carepost.auth, "rows": []}
        known.write_text(json.dumps(state))
    return carepost, state


def _part(carepost: Carepost, work: Path, count: int, sessions: int) -> dict[str, Any]:
    bench, pki, most = str(work / "smtpbench"), work / "pki", str(120 + count // 20)
    before = _processes(carepost.pid)
    sink = subprocess.Popen(
        [bench, "sink", "-p", str(SINK_PORT), "-n", str(count), "-x", most, "-k", str(pki / "srv.pem"),
         "-K", str(pki / "srv.key")],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(0.3)
    began = time.monotonic()
    source = subprocess.run(
        [bench, "source", "-p", str(PORTS["submission"]), "-n", str(count), "-c", str(sessions), "-x", most,
         "-u", str(USERS), "-S", "-C", str(pki / "ca.pem"), "-a", carepost.auth],
        stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    received, sent = json.loads(sink.communicate()[0]), json.loads(source.stdout)
    wall = time.monotonic() - began
    lag, rested = behind(carepost.home), time.monotonic()
    while behind(carepost.home) and time.monotonic() - rested < LAG_S:
        time.sleep(0.25)
    rested = time.monotonic() - rested
    after = _processes(carepost.pid)
    for name, one in after.items():
        one["us"] = (one["cpu"] - before.get(name, {"cpu": 0.0})["cpu"]) / count * 1e6
    return {
        "messages": count, "msg_s": received["msgs"] / wall, "missing": received["missing"],
        "doubled": received["dups"], "failed": sent["failed"],
        "ack_ms": sent["ack_ms"], "e2e_ms": received["e2e_ms"], "behind": lag, "caught_up_s": rested,
        "processes": after, "load": os.getloadavg()[0], "disk": _disk(carepost.home),
    }  # fmt: skip


def _processes(root: int) -> dict[str, dict[str, float]]:
    """Of each process of the home: seconds of processor so far (what it waited for among it), PSS, RSS, highest RSS."""
    found: dict[str, dict[str, float]] = {}
    for pid in sorted(tree(root)):
        at = Path(f"/proc/{pid}")
        try:
            stat = (at / "stat").read_text().rpartition(")")[2].split()
            status, rollup = (at / "status").read_text(), (at / "smaps_rollup").read_text()
            words = (at / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        place = next((n for n, word in enumerate(words) if word == "carepost.processes.child"), None)
        name = "-".join(words[place + 1 : place + 3]).rstrip("-") if place is not None else "supervisor"
        found[name if name not in found else f"{name}-{pid}"] = {
            "cpu": (int(stat[11]) + int(stat[12])) / TICK, "pss": kb(rollup, "Pss:"), "rss": kb(rollup, "Rss:"),
            "highest": kb(status, "VmHWM:"),
        }  # fmt: skip
    return found


def _disk(home: Path) -> dict[str, float]:
    """GB: of the records, the office, the spools, and all."""
    sizes = {path: path.stat().st_size for path in home.rglob("*") if path.is_file()}

    def of(word: str) -> float:
        return sum(size for path, size in sizes.items() if path.name.startswith(word)) / 1e9

    return {name: of(f"{name}.db") for name in ("records", "office", "spool")} | {"all": sum(sizes.values()) / 1e9}


def _told(row: dict[str, Any]) -> None:
    disk = " ".join(f"{name} {size:.2f}" for name, size in row["disk"].items())
    total = sum(one["us"] for one in row["processes"].values())
    print(
        f"{row['done']:>9,}  {row['msg_s']:6.0f} msg/s  {total:5.0f} us a message  load {row['load']:.1f}  "
        f"ack p99 {row['ack_ms']['p99']:.0f} ms  e2e p50/p99 {row['e2e_ms']['p50']:.0f}/{row['e2e_ms']['p99']:.0f} ms  "
        f"missing {row['missing']} doubled {row['doubled']} failed {row['failed']}  "
        f"behind {row['behind']:,}, caught up in {row['caught_up_s']:.1f} s  GB: {disk}",
        flush=True,
    )
    _memory(row["done"], row["processes"])


def _memory(done: int, found: dict[str, dict[str, float]]) -> None:
    for name, one in found.items():
        us = f"{one['us']:6.0f} us" if "us" in one else ""
        held = f"PSS {one['pss']:6.1f}  RSS {one['rss']:6.1f}  highest {one['highest']:6.1f} MB"
        print(f"{done:>9,}    {name:<14} {held}  {us}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
