"""One engine's processor time for HTTP sends, accepting alone: µs a request, and µs a message of a batch.

    python bench/http_bench.py                       this tree, 32 connections, then batches of 1,000
    python bench/http_bench.py OTHER_TREE            this tree and another by turns (a worktree of an earlier commit)
    python bench/http_bench.py OTHER_TREE 12         twelve turns of each

wrk asks over loopback; what a process spends is what the kernel charges it (the loop's thread and the spool's writer).
No delivery, no TLS, a journal that drains. Medians of the turns; a busy machine disturbs both trees alike."""

import asyncio
import gc
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


class Tree:
    def __init__(self, tree: Path, folder: Path) -> None:
        environ = {**os.environ, "PYTHONPATH": f"{tree / 'src'}:{HERE}", "MALLOC_TRIM_THRESHOLD_": "8388608",
                   "MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TOP_PAD_": "1048576"}  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, __file__, "serve", str(folder)], env=environ, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._port, self._key = self._line().split()

    def spent(self, script: str, connections: int, batch: int, seconds: int) -> float:
        """Microseconds of processor a message."""
        before = self._figures()
        environ = {"API_KEY": self._key, "BATCH": str(batch), "PATH": "/usr/bin:/bin"}
        url = f"http://127.0.0.1:{self._port}/api/v1/messages"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "60s", "-s", str(HERE / script), url]
        said = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
        if "errors 0 non2xx 0" not in said:
            raise SystemExit(f"refused: {said}")
        after = self._figures()
        return (after[0] - before[0]) / (after[1] - before[1])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)

    def _figures(self) -> tuple[int, int]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        spent, taken = self._line().split()
        return int(spent), int(taken)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        import uvloop

        uvloop.run(serve(Path(sys.argv[2])))
        return
    trees = [HERE.parent, *map(Path, sys.argv[1:2])]
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    for kind, load in KINDS.items():
        folder = Path(tempfile.mkdtemp(prefix="http-bench-"))
        running = [Tree(tree, folder / str(n)) for n, tree in enumerate(trees)]
        try:
            found: list[list[float]] = [[] for _ in trees]
            for turn in range(turns + 1):
                for n in sorted(range(len(trees)), reverse=bool(turn % 2)):
                    spent = running[n].spent(*load)
                    if turn:  # the first warms up
                        found[n].append(spent)
            for tree, values in zip(trees, found, strict=True):
                print(
                    f"{kind:9} {statistics.median(values):5.0f} µs a message (least {min(values):.0f})  {tree}",
                    flush=True,
                )
        finally:
            for one in running:
                one.close()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
