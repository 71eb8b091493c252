"""Memory of every process while many messages go through, and whether the journal keeps up.

    python bench/memory_bench.py                     100,000 messages of 10 KB in eight parts, 20 sessions
    python bench/memory_bench.py --messages 8000     a quick look

After each part: PSS and RSS of each process (MB), its highest RSS so far, and how many events the journal has not yet
acknowledged at once, and the seconds until it has. Ends with 1 when a process was over --limit, or anything is missing.
"""

import argparse
import pathlib
import sys
import time
import types

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import run
from carepost_home import Carepost
from cputree import tree


def processes(root: int) -> dict[str, tuple[float, float, float]]:
    """process -> (PSS, RSS, highest RSS) in MB; two of one name are told apart by their number."""
    found: dict[str, tuple[float, float, float]] = {}
    for pid in sorted(tree(root)):
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        at = next((n for n, word in enumerate(words) if word == "carepost.processes.child"), None)
        name = "-".join(words[at + 1 : at + 3]) if at is not None else f"other-{pid}" if found else "supervisor"
        found[name] = (kb(rollup, "Pss:"), kb(rollup, "Rss:"), kb(status, "VmHWM:"))
    return found


def kb(text: str, field: str) -> float:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(field)), 0) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--limit", type=float, default=250.0, help="MB a process may have at most")
    options = parser.parse_args()
    run.need("cc")
    work = pathlib.Path(__file__).parent / "out"
    run.build(work)
    carepost = Carepost(work, run.SINK_PORT, engines=options.engines)
    carepost.prepare()
    carepost.start()
    bad = False
    try:
        time.sleep(3)
        show(0, processes(carepost.pid), "")
        for part in range(1, options.parts + 1):
            load = types.SimpleNamespace(messages=options.messages // options.parts, kb=10, rate=0, delay=0, users=1000)
            row = run.measure(work, carepost.pid, run.SUBMISSION, options.sessions, load, carepost)  # type: ignore[arg-type]
            found = processes(carepost.pid)
            show(
                part * load.messages, found,
                f"{row['msg_s']:.0f} msg/s, cpu {row['cpu_per_1000']:.2f} s/1000, missing {row['missing']:.0f}, "
                f"doubled {row['doubled']:.0f}; journal {row['behind']:.0f} behind, {row['caught_up']:.1f} s",
            )  # fmt: skip
            bad = bad or row["missing"] > 0 or any(highest > options.limit for _, _, highest in found.values())
    finally:
        carepost.stop()
    return 1 if bad else 0


def show(count: int, found: dict[str, tuple[float, float, float]], words: str) -> None:
    print(f"after {count} messages  {words}", flush=True)
    for name, (pss, rss, highest) in found.items():
        print(f"    {name:<14} PSS {pss:6.1f}  RSS {rss:6.1f}  highest {highest:6.1f} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
