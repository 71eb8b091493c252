"""Kills for hours: a whole sandbox home under load whose processes die at random moments, with a full reckoning after
each round (what was acknowledged arrived, nothing twice that is not on record as uncertain, every proof, the log).

    python bench/soak.py --minutes 60                    begins in ./soak, or goes on there
    python bench/soak.py --minutes 60 --folder /data/soak --kills 100

Resumable: the home, its secrets and the totals (`soak.json`) stay in the folder; each round starts the same home
again, so that its log, its queue and its databases grow old. Ends with 1 at the first thing that is wrong, and keeps
the home. With --postgres the office, records and log lie in a PostgreSQL cluster begun for this run (Debian's package)
and thrown away after it; such a run is not resumed.
"""

import argparse
import contextlib
import json
import pathlib
import random
import sys
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from tests.support.cluster import cluster
from tests.support.house import House, Model
from tests.support.storm import Storm


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="no round begins after so many")
    parser.add_argument("--kills", type=int, default=100, help="kills a round")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("soak"), help="where it lives")
    parser.add_argument("--seed", type=int, default=None, help="of the choices; the moments are the machine's")
    parser.add_argument("--postgres", action="store_true", help="under the office")
    options = parser.parse_args()
    with contextlib.ExitStack() as cleared:
        url = cleared.enter_context(cluster()).owned() if options.postgres else ""
        return _run(options, url)


def _run(options: argparse.Namespace, url: str) -> int:
    state, house = _house(options.folder.absolute(), url)
    deadline = time.monotonic() + options.minutes * 60
    while time.monotonic() < deadline:
        seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
        began = time.monotonic()
        try:
            storm = _round(house, f"r{state['rounds']}", options.kills, seed)
        except BaseException as error:
            print(f"round {state['rounds']} (seed {seed}): {error}\nthe home is kept: {house.path}", file=sys.stderr)
            if isinstance(error, AssertionError):
                return 1
            raise
        state["rounds"] += 1
        state["acknowledged"] += len(storm.books.acked)
        state["unknown"] += len(storm.books.unknown)
        state["uncertain"] += storm.uncertain
        for role, count in storm.kills.items():
            state["kills"][role] = state["kills"].get(role, 0) + count
        (options.folder / "soak.json").write_text(json.dumps(state, indent=1))
        print(f"round {state['rounds']}: {time.monotonic() - began:.0f} s, {storm.summary()}", flush=True)
    kills = sum(state["kills"].values())
    print(
        f"{state['rounds']} rounds, {kills} kills {state['kills']}, {state['acknowledged']} messages acknowledged, "
        f"{state['unknown']} without an answer, {state['uncertain']} attempts uncertain: nothing lost, nothing doubled"
    )
    return 0


def _house(folder: pathlib.Path, url: str) -> tuple[dict[str, Any], House]:
    """The totals so far, and the home as the last round left it."""
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "soak.json"
    if known.exists() and url:
        sys.exit(f"{folder} holds a run already; a run on PostgreSQL begins in a new folder (--folder).")
    if known.exists():
        state = json.loads(known.read_text())
        return state, House(folder, copied=Model.kept(folder, state["model"]))
    model = Model(folder, CAREPOST_ENGINES=2, **({"CAREPOST_DATABASE_URL": url} if url else {}))
    state = {"rounds": 0, "kills": {}, "acknowledged": 0, "unknown": 0, "uncertain": 0, "model": model.told()}
    known.write_text(json.dumps(state, indent=1))
    return state, House(folder, copied=model)


def _round(house: House, name: str, kills: int, seed: int) -> Storm:
    chosen = random.Random(seed)
    with house:
        storm = Storm(house, prefix=f"{name}-")
        storm.begin()
        for _ in range(kills):
            storm.kill(chosen)
        storm.calm()
        storm.account()
        storm.proofs()
        house.stop()
        storm.log()
    return storm


if __name__ == "__main__":
    sys.exit(main())
