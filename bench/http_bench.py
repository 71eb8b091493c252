"""One engine's processor time for HTTP sends, accepting alone: µs a request, and µs a message of a batch.

    python bench/http_bench.py                       this tree, 32 connections, then batches of 1,000
    python bench/http_bench.py OTHER_TREE            this tree and another by turns (a worktree of an earlier commit)
    python bench/http_bench.py OTHER_TREE 12         twelve turns of each

wrk asks over loopback; what a process spends is what the kernel charges it (the loop's thread and the spool's writer).
No delivery, no TLS, a journal that drains. Medians of the turns; a busy machine disturbs both trees alike."""

import asyncio
import gc
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
#: wrk's script, connections, messages a request, seconds
KINDS = {"requests": ("http_send.lua", 32, 1, 2), "batches": ("http_batch.lua", 2, 1000, 5)}


async def serve(folder: Path) -> None:
    """Tells its port and key; then, for every line it reads, the microseconds of processor it has used and what it
    took."""
    # of the tree that PYTHONPATH names
    import msgspec
    from spool_bench import Engine, drain

    from carepost.directory import bearer
    from carepost.directory.lookup import Directory
    from carepost.directory.source import Loaded, StaticSource
    from carepost.directory.types import ApiKey, SenderDomain
    from carepost.ground import metrics
    from carepost.reception.access import AccessProofs
    from carepost.reception.http.app import App
    from carepost.reception.http.limits import HttpLimits
    from carepost.reception.http.server import HttpServer

    engine = Engine(folder)
    key, hashed = bearer.make("bench")
    snapshot = msgspec.structs.replace(
        engine.directory.snapshot(engine.org), domains=(SenderDomain("src.bench.invalid"),), rules=()
    )
    engine.directory.stop()
    known = Loaded(snapshot, (), (ApiKey("bench", engine.org, hashed, ("send",)),))
    directory = Directory(StaticSource([known]))
    directory.start()
    engine.book._directory = directory
    engine.intake._directory = directory
    await engine.queue.start()
    limits = HttpLimits(per_minute=100_000_000)
    app = App(engine.intake, directory, AccessProofs(), engine.queue._budget, limits, checkpoint=lambda org: None)
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    server = HttpServer(app, limits)
    await server.start(sock)
    journal = asyncio.ensure_future(drain(engine.queue))
    gc.collect()
    gc.freeze()
    # as `processes.engine`
    gc.set_threshold(50_000, 20, 50)
    print(sock.getsockname()[1], key, flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        spent = -1.0
        # what wrk did not wait for is carried out first
        while time.process_time() - spent > 0.01:
            spent = time.process_time()
            await asyncio.sleep(0.4)
        taken = metrics.snapshot().get("http_accepted", 0)
        print(time.process_time_ns() // 1000, int(taken), flush=True)
    journal.cancel()
    await asyncio.gather(journal, return_exceptions=True)
    await server.drain(2)
    await engine.close()
    directory.stop()


def load(script: str, connections: int, batch: int, seconds: int, told: list[str]) -> None:
    port, key = told
    environ = {"API_KEY": key, "BATCH": str(batch), "PATH": "/usr/bin:/bin"}
    url = f"http://127.0.0.1:{port}/api/v1/messages"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "60s", "-s", str(HERE / script), url]
    said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    if "errors 0 non2xx 0" not in said:
        raise SystemExit(f"refused: {said}")


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        import uvloop

        uvloop.run(serve(Path(sys.argv[2])))
        return
    paths = [HERE.parent, *map(Path, sys.argv[1:2])]
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    for kind, given in KINDS.items():
        folder = Path(tempfile.mkdtemp(prefix="http-bench-"))
        running = [Tree(path, [__file__, "serve", str(folder / str(n))]) for n, path in enumerate(paths)]
        try:
            by_turns(running, turns, partial(load, *given), kind)
        finally:
            for one in running:
                one.close()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
