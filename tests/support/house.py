"""A whole home as real processes: `carepost up --sandbox` in a folder and on ports of its own, to be talked to, killed
role by role, stopped and started again.

A home is prepared once a test process (keyring, tables, organisation `demo`) and copied for each test.
"""

import ctypes
import http.client
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from carepost.ground import home as homes
from carepost.intake.client import Client
from carepost.processes.bootstrapped import Bootstrapped
from carepost.sandbox.store import Counters
from carepost.sandbox.world import read_world
from tests.support.waiting import gone, until

ROOT = Path(__file__).parents[2]
PROCESS = Path(__file__).with_name("house_process.py")
READY = "Ctrl-C stops it."
PORTS = ("api", "console", "portal", "submission", "submission_tls", "mx", "sandbox_dns")
#: no office: enough where a test is about the engine
ENGINE_ONLY = ("sandbox", "engine")
START_WITHIN = 200.0


def free_ports() -> dict[str, int]:
    """Ports below the range the kernel takes for outgoing connections, so that none is taken between two starts."""
    found: dict[str, int] = {}
    picking = random.SystemRandom()
    while len(found) < len(PORTS):
        port = picking.randrange(11_000, 32_000)
        if port in found.values() or not all(_free(kind, port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            continue
        found[PORTS[len(found)]] = port
    return found


def _free(kind: int, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def environment(ports: dict[str, int], **more: object) -> dict[str, str]:
    """The variables of a home's processes: this test's own, and none of the developer's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAREPOST_")}
    named = {f"CAREPOST_PORT_{name.upper()}": str(port) for name, port in ports.items()}
    return {**kept, "CAREPOST_ENGINES": "1", **named, **{name: str(value) for name, value in more.items()}}


class Model:
    """A prepared home that is only copied; `bootstrapped` are its secrets."""

    def __init__(self, folder: Path, **more: object) -> None:
        self.path = folder / "model"
        self.ports = free_ports()
        self.more = more
        made = subprocess.run(
            [sys.executable, str(PROCESS), "prepare", str(self.path)],
            env=environment(self.ports, **more), cwd=ROOT, capture_output=True, timeout=280,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr.decode()
        self.bootstrapped = msgspec.json.decode(made.stdout, type=Bootstrapped)

    def told(self) -> dict[str, Any]:
        """What `kept` needs besides the folder."""
        return {"ports": self.ports, "more": self.more, "bootstrapped": msgspec.to_builtins(self.bootstrapped)}

    @classmethod
    def kept(cls, folder: Path, told: dict[str, Any]) -> "Model":
        """One made earlier, by another process (bench/soak.py)."""
        found = cls.__new__(cls)
        found.path, found.ports, found.more = folder / "model", told["ports"], told["more"]
        found.bootstrapped = msgspec.convert(told["bootstrapped"], Bootstrapped)
        return found


_MODEL: list[Model] = []


def model() -> Model:
    """The one of this test process."""
    if not _MODEL:
        folder = tempfile.TemporaryDirectory(prefix="carepost-model-")
        _KEPT.append(folder)
        _MODEL.append(Model(Path(folder.name)))
    return _MODEL[0]


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    """A test process that is killed must not leave a home behind that runs for ever (Linux only)."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class House:
    """Not started yet. `roles`: these processes only; none: all, by `carepost up --sandbox`. `more`: variables.
    `copied`: another model than that of this test process."""

    def __init__(self, folder: Path, *roles: str, copied: "Model | None" = None, **more: object) -> None:
        self.model = copied or model()
        self.path = folder / "home"
        if not self.path.exists():
            shutil.copytree(self.model.path, self.path)
        self.output = folder / "up.log"
        self.roles = roles
        self.ports = self.model.ports
        self.environ = environment(self.ports, **{**self.model.more, **more})
        self.made = self.model.bootstrapped
        self.process: subprocess.Popen[bytes] | None = None

    # life and death

    def __enter__(self) -> "House":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill_all()

    def command(self) -> list[str]:
        if self.roles:
            return [sys.executable, str(PROCESS), "up", str(self.path), *self.roles]
        return [sys.executable, "-m", "carepost.cli.main", "up", "--sandbox", "--home", str(self.path)]

    def start(self) -> "House":
        """Returns when every process is ready. Fails with what was said when it ends instead."""
        assert self.process is None, "it runs"
        with self.output.open("ab") as errors:
            self.process = subprocess.Popen(
                self.command(), env=self.environ, cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, start_new_session=True, preexec_fn=_end_with_us,
            )  # fmt: skip
        said = self._read_until_ready(self.process)
        assert READY in said, f"{said}\n{self.output.read_text()}\n{self.logs()}"
        return self

    def _read_until_ready(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        said = b""
        deadline = time.monotonic() + START_WITHIN
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            while READY.encode() not in said and time.monotonic() < deadline:
                if waiting.select(0.5):
                    piece = os.read(process.stdout.fileno(), 65_536)
                    if not piece:
                        process.wait(10)
                        break
                    said += piece
        return said.decode()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """As an administrator stops it. Seconds it took; fails when it ends badly or leaves a process."""
        assert self.process is not None
        pids = [pid for pid, _, _ in self.children()]
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        took = time.monotonic() - began
        self.forget()
        assert code == 0, (code, self.output.read_text())
        left = [pid for pid in pids if not gone(pid, 0)]
        assert not left, f"processes left: {left}"
        return took

    def kill_all(self) -> None:
        """SIGKILL to everything, the supervisor held so that it starts nothing again."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)
            pids = [pid for pid, _, _ in self.children()]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            for pid in pids:
                assert gone(pid, 10)
        self.process.wait(10)
        self.forget()

    def forget(self) -> None:
        """Of a supervisor that ended: it may be started again."""
        assert self.process is not None and self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    # its processes

    def children(self) -> list[tuple[int, str, int]]:
        """(pid, role, index) of what runs under the supervisor."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"carepost.processes.child" in words and words[-2] == b"%d" % self.process.pid:
                    found.append((int(entry.name), words[-4].decode(), int(words[-3])))
        return found

    def pid(self, role: str, index: int = 0) -> int:
        """0: it does not run now."""
        return next((pid for pid, named, number in self.children() if (named, number) == (role, index)), 0)

    def kill(self, role: str, index: int = 0) -> int:
        """SIGKILL. The pid that was."""
        pid = until(lambda: self.pid(role, index), within=30, what=f"{role} runs")
        os.kill(pid, signal.SIGKILL)
        assert gone(pid, 10)
        return pid

    def until_again(self, role: str, former: int, index: int = 0, within: float = 40.0) -> int:
        """Until the supervisor has started it again; an engine, staff or outside: until it answers."""
        pid = until(
            lambda: (p := self.pid(role, index)) != former and p, within=within, what=f"{role} is started again"
        )
        if role == "engine":
            until(self.every_shard_answers, within=within, what="every shard has an owner")
        port = {"engine": "api", "staff": "console", "outside": "portal"}.get(role)
        if port:
            until(lambda: answers(self.ports[port]), within=within, what=f"{role} listens")
        return int(pid)

    def every_shard_answers(self) -> bool:
        client = self.client()
        try:
            return sum(len(answer.shards) for answer in client.health()) == homes.open_(self.path).shards
        finally:
            client.close()

    def client(self) -> Client:
        opened = homes.open_(self.path)
        return Client(opened.run, opened.shards, opened.node)

    def figures(self) -> dict[str, int]:
        """The queues' figures for health, summed over the shards."""
        client = self.client()
        try:
            total: dict[str, int] = {}
            for answer in client.health():
                for shard in answer.shards.values():
                    for name, value in shard.items():
                        total[name] = total.get(name, 0) + value
            return total
        finally:
            client.close()

    def logs(self) -> str:
        """What every process wrote, the supervisor too."""
        texts = [f"== {p.name}\n{p.read_text(errors='replace')}" for p in sorted((self.path / "log").glob("*.log"))]
        return "\n".join([*texts, f"== supervisor\n{self.output.read_text(errors='replace')}"])

    def carepost(self, *words: str, code: int = 0, typed: str = "") -> str:
        """A command for this home, as an administrator types it; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "carepost.cli.main", *words, "--home", str(self.path)],
            env=self.environ, cwd=ROOT, input=typed, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == code, (words, done.returncode, done.stderr, done.stdout)
        return done.stdout

    # what it answers

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        within: float = 30.0,
        **headers: str,
    ) -> tuple[int, Any]:
        """(status, JSON or bytes) of the API, with the demo key unless another is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["api"], timeout=within)
        fields = {"Authorization": f"Bearer {self.made.api_key if key is None else key}"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = None
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        try:
            connection.request(method, path, raw, fields)
            answer = connection.getresponse()
            text = answer.read()
            kind = answer.getheader("content-type") or ""
            return answer.status, json.loads(text) if "json" in kind and "/proof" not in path else text
        finally:
            connection.close()

    def send(self, to: str, *, subject: str = "An invented matter", text: str = "Nothing real.", **more: Any) -> Any:
        """One message by REST; the answer of the 202."""
        body = {"from": "Nora Sample <nora.sample@clinic.test>", "to": [to], "subject": subject, "text": text, **more}
        status, answer = self.request("POST", "/api/v1/messages", body)
        assert status == 202, (status, answer)
        return answer

    def viewer(self, path: str) -> Any:
        """The sandbox's interface, asked directly: it answers while the engine is down."""
        world = read_world(self.path / "sandbox")
        assert world is not None
        connection = http.client.HTTPConnection(*world.viewer_address, timeout=70)
        try:
            connection.request("GET", f"/sandbox/api/{path}")
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (path, answer.status)
            return text if path.endswith(".eml") else json.loads(text)
        finally:
            connection.close()

    def counters(self) -> dict[str, Counters]:
        """By domain; zeros where nobody ever connected."""
        found = self.viewer("counters")["domains"]
        return defaultdict(Counters, {domain: msgspec.convert(values, Counters) for domain, values in found.items()})

    def mails(self, mailbox: str = "", domain: str = "") -> list[dict[str, Any]]:
        query = {"mailbox": mailbox} if mailbox else {"domain": domain} if domain else {}
        found: list[dict[str, Any]] = self.viewer(f"messages?{urllib.parse.urlencode(query)}")["messages"]
        return found

    def arrived(self, mailbox: str, count: int = 1, within: float = 30.0) -> list[dict[str, Any]]:
        """Until so many mails came to this address."""
        query = urllib.parse.urlencode({"mailbox": mailbox, "count": count, "timeout": within})
        answer = self.viewer(f"wait?{query}")
        assert answer["reached"], f"{answer['count']} of {count} mails for {mailbox}\n{self.logs()}"
        return self.mails(mailbox)

    def raw(self, mail: str) -> bytes:
        found: bytes = self.viewer(f"messages/{mail}.eml")
        return found


def answers(port: int) -> bool:
    """Somebody accepts on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
