"""`python -m carepost.sandbox HOME`: the sandbox alone, for looking at it or for another program's tests."""

import argparse
import sys
from pathlib import Path

from carepost.ground.errors import ConfigError
from carepost.sandbox import process
from carepost.sandbox.world import WorldFile


def main() -> int:
    parser = argparse.ArgumentParser(prog="carepost.sandbox", description=__doc__)
    parser.add_argument("home", type=Path, help="a sandbox home")
    parser.add_argument("--dns-port", type=int, default=5300)
    parser.add_argument("--viewer-port", type=int, default=0)
    given = parser.parse_args()

    def ready(world: WorldFile) -> None:
        print(f"DNS {world.dns[0]}:{world.dns[1]}\nViewer {world.viewer}", flush=True)

    try:
        process.run(given.home, dns_port=given.dns_port, viewer_port=given.viewer_port, ready=ready)
    except ConfigError as error:
        print(error.public, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
