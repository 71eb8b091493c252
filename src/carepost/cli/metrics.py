"""`carepost metrics`: the figures of a home, once, as Prometheus reads them (also for its textfile collector)."""

import argparse
import sys

from carepost.cli import local
from carepost.cli.local import Local
from carepost.ground import exposition
from carepost.processes.measures import Measures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    local.add_arguments(parser)
    parser.epilog = (
        "To have them served: CAREPOST_METRICS=127.0.0.1:9464 (paths /metrics, /health/live, /health/ready)."
    )


def run(args: argparse.Namespace) -> int:
    here = Local.of(args)
    sys.stdout.write(exposition.render(Measures(here.home, here.config, here.client).families()))
    return 0
