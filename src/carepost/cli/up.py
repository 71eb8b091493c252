"""`carepost up [--sandbox]`: every process of a home under one supervisor, until Ctrl-C or SIGTERM."""

import argparse
import os
import sys

from carepost.cli.main import home_argument, home_path
from carepost.ground import log
from carepost.processes import samples
from carepost.processes.first_run import CHECKLIST
from carepost.processes.running import Running
from carepost.processes.supervisor import Stopped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    home_argument(parser)
    parser.add_argument("--sandbox", action="store_true", help="with a local outside world and the organisation demo")


def run(args: argparse.Namespace) -> int:
    log.start("supervisor", sys.stderr)
    try:
        return _until_stopped(args)
    except Stopped:
        _say("stopped before it was up")
        return 0


def _until_stopped(args: argparse.Namespace) -> int:
    with Running(home_path(args), os.environ, sandbox=args.sandbox, say=_say) as running:
        found = running.bootstrapped
        if found.welcome:
            _say(f"welcome     {running.console}{found.welcome}  (one-time sign-in link of the administrator)")
            _say(f"API key     {found.api_key}  (shown once)")
            _say(f"SMTP        user {found.smtp_username}, password {found.smtp_password}  (shown once)")
            _say("")
            _say(samples.table(samples.send(running, _say)))
            _say("")
        if found.empty and not running.home.sandbox:
            _say(CHECKLIST)
        for line in running.addresses():
            _say(line)
        _say("Ctrl-C stops it.")
        running.supervisor.run()
        _say("stopping …")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
