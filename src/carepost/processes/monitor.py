"""The `monitor` process: figures for Prometheus and two answers for orchestrators, on an address of its own.

It runs only where the setting `metrics` names an address, holds no key, and reads no database.
"""

import http.server
import signal
import threading
from typing import Final

from carepost.ground import exposition
from carepost.ground.errors import ConfigError
from carepost.intake.client import Client
from carepost.processes.child import Start
from carepost.processes.measures import Measures

#: seconds a scraper may take to ask
_PATIENCE: Final = 10
#: and an engine to answer: one that hangs is one that does not answer, and who probes does not wait for long
_ENGINE: Final = 2.0


def address(setting: str) -> tuple[str, int]:
    """Raises ConfigError for what is no "address:port"."""
    host, _, port = setting.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError('CAREPOST_METRICS is an address and a port, such as "127.0.0.1:9464"; empty turns it off.')
    return host.strip("[]"), int(port)


def run(start: Start) -> None:
    client = Client(start.home.run, start.home.shards, start.home.node, answer_s=_ENGINE)
    server = serve(start.config.metrics, Measures(start.home, start.config, client))
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for serve_forever(), which runs in this thread
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    start.ready()
    server.serve_forever()
    server.server_close()
    client.close()


def serve(setting: str, measures: Measures) -> http.server.ThreadingHTTPServer:
    """A bound server; the caller runs it. Raises ConfigError."""
    where = address(setting)
    try:
        return http.server.ThreadingHTTPServer(where, _handler(measures))
    except OSError as error:
        raise ConfigError(
            f"CAREPOST_METRICS {setting} cannot be listened on ({error.strerror}); name another."
        ) from None


def _handler(measures: Measures) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version = "carepost"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, exposition.render(measures.families()), exposition.CONTENT_TYPE)
            elif self.path == "/health/live":
                self._answer(200, "live\n")
            elif self.path == "/health/ready":
                found = measures.problems()
                self._answer(503 if found else 200, "".join(f"{one}\n" for one in found) or "ready\n")
            else:
                self._answer(404, "There is /metrics, /health/live and /health/ready.\n")

        def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A line a scrape says nothing."""

    return Handler
