"""Carepost against Postfix on this machine, in one run: verified TLS in and out, 10 KB, alternating rounds.

    make bench                      the whole table (needs root and Debian's postfix, gcc, libssl-dev, wrk)
    python bench/run.py --rounds 1 --messages 4000

Only ratios of one run are to be trusted: the machine's speed moves by half within an hour.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from carepost_home import Carepost
from cputree import cpu_seconds, pss_mb

HERE = pathlib.Path(__file__).parent
SINK_PORT, POSTFIX_PORT, SUBMISSION = 2526, 2525, 2587


def need(*programs: str) -> None:
    missing = [p for p in programs if not shutil.which(p, path="/usr/sbin:/usr/bin:/bin:/usr/local/bin")]
    if missing:
        sys.exit(f"bench needs {', '.join(missing)}: apt-get install postfix gcc libssl-dev wrk")


def build(work: pathlib.Path) -> None:
    (work / "pki").mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    if not (work / "smtpbench").exists():
        out = str(work / "smtpbench")
        subprocess.run(
            ["cc", "-O2", "-o", out, str(HERE / "smtpbench.c"), "-lssl", "-lcrypto", "-lpthread", "-lm"], check=True
        )
    if not (work / "pki" / "srv.pem").exists():
        subprocess.run(["sh", str(HERE / "mkca.sh")], cwd=work / "pki", check=True)


def measure(
    work: pathlib.Path,
    pid: int,
    port: int,
    sessions: int,
    options: argparse.Namespace,
    carepost: Carepost | None = None,
) -> dict[str, float]:
    """One load through one relay (`carepost`: ours): messages/s, latencies (ms), CPU s per 1,000, the journal's of all
    that came included, and what was lost or doubled."""
    bench, pki, count = str(work / "smtpbench"), work / "pki", str(options.messages)
    most = str(int(90 + (options.messages / options.rate if options.rate else 0)))
    sink = subprocess.Popen(
        [bench, "sink", "-p", str(SINK_PORT), "-n", count, "-x", most, "-w", str(options.delay),
         "-k", str(pki / "srv.pem"), "-K", str(pki / "srv.key")],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(0.3)
    command = [bench, "source", "-p", str(port), "-n", count, "-c", str(sessions), "-s", str(options.kb), "-x", most,
               "-R", str(options.rate), "-u", str(options.users), "-S", "-C", str(pki / "ca.pem")]  # fmt: skip
    before, began = cpu_seconds(pid), time.monotonic()
    source = json.loads(
        subprocess.run(
            [*command, *(["-a", carepost.auth] if carepost else [])], stdout=subprocess.PIPE, check=False
        ).stdout
    )
    received = json.loads(sink.communicate()[0])
    wall = time.monotonic() - began - 0.3
    time.sleep(0.5)
    left, until = carepost.settled() if carepost else (0, 0.0)
    return {
        "msg_s": received["msgs"] / wall,
        "ack_p50": source["ack_ms"]["p50"],
        "ack_p99": source["ack_ms"]["p99"],
        "p50": received["e2e_ms"]["p50"],
        "p99": received["e2e_ms"]["p99"],
        "cpu_per_1000": (cpu_seconds(pid) - before) / max(1, received["msgs"]) * 1000,
        "missing": received["missing"],
        "doubled": received["dups"],
        "failed": source["failed"],
        "behind": left,
        "caught_up": until,
    }


def postfix_round(work: pathlib.Path, sessions: list[int], options: argparse.Namespace) -> list[dict[str, float]]:
    environ = {"CONC": str(options.connections), "REUSE": "yes", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    setup = ["sh", str(HERE / "postfix_setup.sh"), str(work / "pf"), str(work / "pki"), "tls"]
    subprocess.run(setup, env=environ, check=True)
    control = ["/usr/sbin/postfix", "-c", str(work / "pf" / "etc")]
    subprocess.run([*control, "start"], check=True, stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        pid = int((work / "pf" / "queue" / "pid" / "master.pid").read_text())
        return [measure(work, pid, POSTFIX_PORT, n, options) for n in sessions]
    finally:
        subprocess.run([*control, "stop"], check=True, stderr=subprocess.DEVNULL)


def carepost_round(
    carepost: Carepost, work: pathlib.Path, sessions: list[int], options: argparse.Namespace
) -> list[dict[str, float]]:
    carepost.start()
    try:
        idle = pss_mb(carepost.pid)
        rows = [measure(work, carepost.pid, SUBMISSION, n, options, carepost) for n in sessions]
        rows[0]["idle_pss"] = sum(idle.values())
        return rows
    finally:
        carepost.stop()


def http(
    carepost: Carepost, work: pathlib.Path, seconds: int = 5, *, connections: int = 32, script: str = "http_send.lua"
) -> str:
    """Durable HTTP send with wrk, 32 connections: every 202 is committed and synced. What is delivered is taken."""
    pki = work / "pki"
    carepost.start()
    sink = subprocess.Popen(
        [str(work / "smtpbench"), "sink", "-p", str(SINK_PORT), "-x", "90", "-k", str(pki / "srv.pem"),
         "-K", str(pki / "srv.key")],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        time.sleep(0.3)
        environ = {"API_KEY": carepost.api_key, "PATH": "/usr/bin:/bin"}
        url = "http://127.0.0.1:8080/api/v1/messages"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "30s", "-s", str(HERE / script), url]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        said = done.stdout.strip().splitlines()[-1]
    finally:
        sink.terminate()
        delivered = json.loads(sink.communicate()[0])["msgs"]
        carepost.stop()
    return f"{said}, delivered meanwhile {delivered}"


def show(name: str, row: dict[str, float]) -> None:
    latency = f"ack {row['ack_p50']:6.1f}/{row['ack_p99']:6.1f} ms  e2e {row['p50']:7.1f}/{row['p99']:7.1f} ms"
    faults = f"missing {row['missing']:.0f}  doubled {row['doubled']:.0f}  failed {row['failed']:.0f}"
    journal = f"  journal {row['behind']:.0f} behind, {row['caught_up']:.1f} s" if row["behind"] else ""
    print(
        f"{name:<22} {row['msg_s']:7.0f} msg/s  cpu {row['cpu_per_1000']:5.2f} s/1000  {latency}  {faults}{journal}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=6000)
    parser.add_argument("--sessions", default="20,100")
    parser.add_argument("--kb", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--users", type=int, default=1000, help="recipients")
    parser.add_argument("--connections", type=int, default=20, help="to the sink: Postfix's, and ours of each engine")
    parser.add_argument("--smime", action="store_true", help="ours encrypts every message to one of ten certificates")
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--dkim", choices=("ed25519", "rsa", "both"), default="ed25519")
    parser.add_argument("--no-http", action="store_true")
    parser.add_argument("--no-postfix", action="store_true")
    options = parser.parse_args()
    need("cc", "openssl", *([] if options.no_postfix else ["postfix"]), *([] if options.no_http else ["wrk"]))
    work = HERE / "out"
    build(work)
    sessions = [int(n) for n in options.sessions.split(",")]
    if options.smime:
        options.users = 10
    carepost = Carepost(
        work, SINK_PORT, engines=options.engines, dkim=options.dkim, smime_users=options.users if options.smime else 0,
        settings={"destination_connections": str(options.connections)},
    )  # fmt: skip
    carepost.prepare()
    ratios: dict[int, list[float]] = {n: [] for n in sessions}
    bad = 0.0
    for number in range(1, options.rounds + 1):
        peer = [] if options.no_postfix else postfix_round(work, sessions, options)
        ours = carepost_round(carepost, work, sessions, options)
        for at, n in enumerate(sessions):
            if peer:
                show(f"postfix  r{number} c={n}", peer[at])
                ratios[n].append(ours[at]["msg_s"] / peer[at]["msg_s"])
            show(f"carepost r{number} c={n}", ours[at])
            bad += ours[at]["missing"] + ours[at]["doubled"] + ours[at]["failed"]
        print(f"carepost idle PSS {ours[0]['idle_pss']:.0f} MB", flush=True)
    for n, found in ratios.items():
        if found:
            print(
                f"ratio at {n} sessions: median {statistics.median(found):.1f} ({', '.join(f'{r:.1f}' for r in found)})"
            )
    if not options.no_http:
        print("http send:", http(carepost, work))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
