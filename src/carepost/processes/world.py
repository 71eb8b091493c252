"""The `sandbox` process: the local outside world of a sandbox home."""

from carepost.ground.errors import ConfigError
from carepost.processes.child import Start
from carepost.sandbox import process


def run(start: Start) -> None:
    if not start.home.sandbox:
        raise ConfigError("The sandbox world runs only in a home made with: carepost up --sandbox")
    process.run(start.home.path, dns_port=start.config.port_sandbox_dns, ready=lambda _: start.ready())
