"""Scores our verdicts and the others' on the families.

    python bench/tracking/run.py                     # development and held-out, all rows
    python bench/tracking/run.py --set dev --misses 20 --family m-slow
    python bench/tracking/run.py --without-decoys --scenes 300
    python bench/tracking/run.py --file /elsewhere/heldout_7.py --ours --families

A file of one's own is a module with FAMILIES, made of `world`, or a page of scripts (`heldout_2.md` says how); its
SHA-256 is printed. Misses are never shown of a file: it is for its totals until it is spent."""

import argparse
import hashlib
import importlib
import importlib.util
import pathlib
import random
import sys
from collections.abc import Callable, Mapping

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from baselines import ROWS
from heldout_2 import read
from score import Judge, Row, ours, play, wilson
from world import Scene

Families = Mapping[str, Callable[[random.Random], Scene]]
HERE = pathlib.Path(__file__).parent
SETS = {
    "dev": "families",
    "dev-3": "families_crowds",
    "heldout-1": "heldout_1",
    "heldout-2": "heldout_2",
    "heldout-3": "heldout_3",
    "heldout-4": "heldout_4",
    "heldout-5": "heldout_5",
    "heldout-6": "heldout_6",
}
#: name, what is measured, wrong verdicts, bar
MEASURES = (
    ("human click called automated", ("human-click",), ("automated",), 0.01),
    ("machine click not called automated, 2 links and more", ("machine-many",), ("human", "undetermined"), 0.05),
    ("machine click called human, 2 links and more", ("machine-many",), ("human",), None),
    ("machine click not called automated, one link", ("machine-one",), ("human", "undetermined"), 0.30),
    ("machine click called human, one link", ("machine-one",), ("human",), None),
    ("MPP and Gmail prefetch called human", ("mpp", "prefetch"), ("human",), 0.005),
    ("GoogleImageProxy called automated", ("gmail-proxy",), ("automated",), 0.01),
    ("human open called automated", ("human-open", "gmail-proxy"), ("automated",), None),
    ("machine open called human", ("machine-open",), ("human",), None),
)
WORST_HUMAN = 0.05


def frozen(module: str) -> str:
    # a module of several files is frozen as a whole: their bytes one after another, by name
    parts = sorted(HERE.glob(f"{module}*.py"))
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    held = {line.split()[1]: line.split()[0] for line in (HERE / "FROZEN").read_text().splitlines()}
    name = f"{module}.py"
    return digest[:16] + (
        "" if name not in held else " as frozen" if held[name] == digest else " CHANGED SINCE IT WAS FROZEN"
    )


def outside(path: pathlib.Path) -> Families:
    """The families of a file that is no part of this directory; SystemExit with words when it has none."""
    if path.suffix == ".md":
        found = read(str(path.resolve()))
    else:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{path} is no module: name it .py or .md")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = module.FAMILIES
    if not found:
        raise SystemExit(f"{path} has no families")
    return found


def percent(hits: int, of: int) -> str:
    if not of:
        return "-"
    low, high = wilson(hits, of)
    return f"{100 * hits / of:6.2f} % [{100 * low:5.2f}, {100 * high:5.2f}] of {of}"


def total(rows: Mapping[str, Row]) -> Row:
    whole = Row()
    for row in rows.values():
        whole.verdicts.update(row.verdicts)
    return whole


def worst(rows: Mapping[str, Row]) -> tuple[float, str]:
    rates = []
    for name, row in rows.items():
        hits, of = row.rate(("human-click",), ("automated",))
        if of:
            rates.append((hits / of, name))
    return max(rates, default=(0.0, "-"))


def report(rows: Mapping[str, Mapping[str, Row]], families: bool) -> None:
    for judge, by_family in rows.items():
        whole = total(by_family)
        print(f"\n  {judge}")
        for name, truths, verdicts, bar in MEASURES:
            hits, of = whole.rate(truths, verdicts)
            met = (
                "" if bar is None or not of else f"  (bar {100 * bar:g} %: {'met' if hits / of <= bar else 'NOT MET'})"
            )
            print(f"    {name:54s} {percent(hits, of)}{met}")
        rate, name = worst(by_family)
        print(
            f"    worst human family: {name} {100 * rate:.2f} %"
            f"  (bar {100 * WORST_HUMAN:g} %: {'met' if rate <= WORST_HUMAN else 'NOT MET'})"
        )
        if families and judge == "ours":
            print(f"    {'family':40s} {'human click automated':36s} machine click not automated / called human")
            for name, row in by_family.items():
                human = percent(*row.rate(("human-click",), ("automated",)))
                machine = percent(*row.rate(("machine-many", "machine-one"), ("human", "undetermined")))
                called, of = row.rate(("machine-many", "machine-one"), ("human",))
                print(f"    {name:40s} {human:36s} {machine}" + (f" / {100 * called / of:.2f} %" if of else ""))


def show(title: str, families: Families, judges: dict[str, Judge], asked: argparse.Namespace, misses: int) -> None:
    print(f"\n{title}; {asked.scenes} scenes a family, seed {asked.seed}"
          + (", no hidden links" if asked.without_decoys else ""))  # fmt: skip
    if asked.family:
        families = {asked.family: families[asked.family]}
    found: list = [] if misses else None  # type: ignore[assignment]
    rows = play(families, judges, scenes=asked.scenes, seed=asked.seed, decoys=not asked.without_decoys, misses=found)
    report(rows, asked.families)
    for family, copy, event, seen, verdict in (found or [])[:misses]:
        print(
            f"    MISS {family}: {event.truth} {event.kind} at {event.at:.2f} of {copy.links} links"
            f" called {verdict}: {seen}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=(*SETS, "all"), default="all")
    parser.add_argument("--file", type=pathlib.Path, help="a set of one's own instead: .py or .md")
    parser.add_argument("--scenes", type=int, default=200, help="of each family")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-decoys", action="store_true")
    parser.add_argument("--ours", action="store_true", help="no rows of others")
    parser.add_argument("--families", action="store_true", help="a line for each family")
    parser.add_argument("--family", default="", help="only this one")
    parser.add_argument("--misses", type=int, default=0)
    asked = parser.parse_args()
    judges: dict[str, Judge] = {"ours": ours} | ({} if asked.ours else ROWS)
    if asked.file:
        digest = hashlib.sha256(asked.file.read_bytes()).hexdigest()
        show(f"{asked.file.name}: SHA-256 {digest}", outside(asked.file), judges, asked, misses=0)
        return 0
    for name, module in SETS.items():
        if asked.set in (name, "all"):
            title = f"{name}: {module}.py {frozen(module)}"
            show(title, importlib.import_module(module).FAMILIES, judges, asked, misses=asked.misses)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
