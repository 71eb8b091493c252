"""One engine's processor time a message relayed, the whole path in one process: SMTP in, door, spool, DKIM, SMTP out.

    python bench/relay_bench.py                          this tree, 20 and 100 sessions
    python bench/relay_bench.py OTHER_TREE               this tree and another (an earlier commit) by turns
    python bench/relay_bench.py OTHER_TREE 9 --dkim rsa  nine turns of each, signed with RSA-2048

10 KB, verified TLS in and out, source and sink in processes of their own (`smtpbench.c`); a journal that drains and
acknowledges, and costs next to nothing. What a process spends is what the kernel charges it (the loop's thread and the
spool's writer). The trees take turns, so that a busy machine disturbs both alike; medians and least values. `run.py`
measures a whole home against Postfix."""

import argparse
import asyncio
import base64
import gc
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from trees import Tree, by_turns

HERE = Path(__file__).parent
DOMAIN, SINK = "src.bench.invalid", "d0.bench.invalid"


async def serve(folder: Path, pki: Path, sink: int, algorithm: str) -> None:
    """Tells its port, AUTH PLAIN and the sink's port; then, for every line it reads, the microseconds of processor it
    has used and how many messages it has sent."""
    # of the tree that PYTHONPATH names
    import msgspec
    from spool_bench import Engine, drain

    from carepost.crypto import dkim, scram
    from carepost.delivery.courier import Courier
    from carepost.delivery.exchange import Timeouts
    from carepost.delivery.hops import Finder
    from carepost.delivery.methods.tls import Preparer
    from carepost.delivery.mtasts import Policies
    from carepost.delivery.resolver import Resolver
    from carepost.delivery.schedule import Schedule
    from carepost.delivery.trust import Anchors
    from carepost.delivery.ways import Pace
    from carepost.delivery.worker import Worker
    from carepost.delivery.world import World
    from carepost.directory.lookup import Directory
    from carepost.directory.source import Loaded, StaticSource
    from carepost.directory.types import Credential, DkimKey, Route, SenderDomain
    from carepost.ground import metrics
    from carepost.ground.keys import PurposeKeys
    from carepost.processes.pacing import Paced
    from carepost.processes.turns import long
    from carepost.reception.access import AccessProofs
    from carepost.reception.credentials import Credentials
    from carepost.reception.smtp.limits import Limits
    from carepost.reception.smtp.server import SmtpServer
    from carepost.reception.smtp.staged import Staged
    from carepost.reception.smtp.types import Role
    from carepost.reception.tls import Certificates

    long()
    engine = Engine(folder)
    keys, password = PurposeKeys.ephemeral(), scram.new_password()
    private, _ = dkim.generate(dkim.RSA if algorithm == "rsa" else dkim.ED25519)
    aad = b"dkim|" + engine.org + b"|" + DOMAIN.encode() + b"|s1"
    pair = DkimKey("s1", dkim.RSA if algorithm == "rsa" else dkim.ED25519, keys.wrap("dkim", private, aad))
    snapshot = msgspec.structs.replace(
        engine.directory.snapshot(engine.org),
        domains=(SenderDomain(DOMAIN, (pair,)),),
        routes=(Route(SINK, "localhost", sink, (pki / "ca.pem").read_text()),),
    )
    engine.directory.stop()
    credential = Credential("c1", engine.org, "load", scram.make(password))
    directory = Directory(StaticSource([Loaded(snapshot, (credential,))]))
    directory.start()
    engine.book._directory = engine.intake._directory = directory
    # the door's own: the plan it made then stands at the attempt
    posture, config = engine.intake.judge._posture, engine.intake._config
    resolver = Resolver([], timeout=0.5)
    finder = Finder(resolver, Policies(resolver, posture, None))  # type: ignore[arg-type]  # a pinned route asks nobody
    courier = Courier("localhost", Anchors.system(), timeouts=Timeouts(), per_host=20)
    pace = Pace()
    world = World(
        directory, posture, finder, courier, Preparer(keys.only("dkim")), engine.intake,
        Schedule(60.0, 3600.0, 86400.0), config.hostname, pace=pace,
    )  # fmt: skip
    worker = Worker(engine.queue, world)
    engine.queue.taker = worker
    engine.queue.paced_by(worker.may, worker.why)
    paced = Paced(engine.intake, lambda: worker.held)
    credentials = Credentials(directory)
    shutil.copy(pki / "srv.pem", folder / "localhost.pem")
    shutil.copy(pki / "srv.key", folder / "localhost.key")
    server = SmtpServer(
        Role.SUBMISSION, paced, credentials, AccessProofs(), Certificates(folder, "localhost"), engine.queue._budget,
        Limits(), hostname="localhost", staged=Staged(paced, credentials),
    )  # fmt: skip
    await engine.queue.start()
    paced.start()
    courier.start()
    worker.start()
    sock = socket.create_server(("127.0.0.1", 0), backlog=512)
    sock.setblocking(False)
    await server.start(sock)
    journal = asyncio.ensure_future(drain(engine.queue))
    gc.collect()
    gc.freeze()
    # as `processes.engine`
    gc.set_threshold(50_000, 20, 50)
    print(sock.getsockname()[1], base64.b64encode(f"\0load\0{password}".encode()).decode(), sink, flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        spent = -1.0
        # what is acknowledged is forgotten first
        while time.process_time() - spent > 0.01:
            spent = time.process_time()
            await asyncio.sleep(0.4)
        print(time.process_time_ns() // 1000, int(metrics.snapshot().get("delivery-sent", 0)), flush=True)
    journal.cancel()
    await asyncio.gather(journal, return_exceptions=True)
    paced.stop()
    await server.drain(2)
    server.close()
    await worker.stop(2)
    await courier.close()
    await engine.close()
    credentials.close()
    directory.stop()


def load(sessions: int, messages: int, work: Path, told: list[str]) -> None:
    port, auth, sink_port = told
    bench, pki, count = str(work / "smtpbench"), work / "pki", str(messages)
    sink = subprocess.Popen(
        [bench, "sink", "-p", sink_port, "-n", count, "-x", "90", "-k", str(pki / "srv.pem"),
         "-K", str(pki / "srv.key")],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(0.2)
    source = subprocess.run(
        [bench, "source", "-p", port, "-n", count, "-c", str(sessions), "-x", "90", "-S",
         "-C", str(pki / "ca.pem"), "-a", auth],
        stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    received = json.loads(sink.communicate()[0])
    if source.returncode or received["missing"] or received["dups"]:
        raise SystemExit(f"not as it should be: {source.stdout!r} {received}")


def measure(paths: list[Path], options: argparse.Namespace, work: Path) -> None:
    running: list[Tree] = []
    try:
        for number, path in enumerate(paths):
            with socket.create_server(("127.0.0.1", 0)) as free:
                sink = free.getsockname()[1]
            folder = work / f"home-{number}"
            folder.mkdir()
            given = ["--serve", str(folder), str(work / "pki"), str(sink), options.dkim]
            running.append(Tree(path, [__file__, *given]))
        for sessions in map(int, options.sessions.split(",")):
            by_turns(running, options.turns, partial(load, sessions, options.messages, work), f"{sessions} sessions")
    finally:
        for one in running:
            one.close()


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        import uvloop

        folder, pki, sink, dkim = sys.argv[2:]
        uvloop.run(serve(Path(folder), Path(pki), int(sink), dkim))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", nargs="?", type=Path)
    parser.add_argument("turns", nargs="?", type=int, default=5)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--sessions", default="20,100")
    parser.add_argument("--dkim", choices=("ed25519", "rsa"), default="ed25519")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="relay-bench-"))
    try:
        (work / "pki").mkdir()
        program = ["cc", "-O2", "-o", str(work / "smtpbench"), str(HERE / "smtpbench.c")]
        subprocess.run([*program, "-lssl", "-lcrypto", "-lpthread", "-lm"], check=True)
        subprocess.run(["sh", str(HERE / "mkca.sh")], cwd=work / "pki", check=True)
        measure([HERE.parent, *([options.other] if options.other else [])], options, work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
