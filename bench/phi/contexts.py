"""Structured identifiers in many contexts: `.venv/bin/python bench/phi/contexts.py [--misses] [KIND ...]`.

Each kind of identifier is put into every layout (sentences, forms, tables with commas, tabs, bars, spaces and tags,
JSON, XML, X12, HL7, FHIR, names of files, lists, signatures, wrapped lines, scans) under every label people give it;
numbers with right check digits that are something else are put into every sentence about such things. A development
set: what it shows made the rules, and is no figure of how well they do on text by others.
"""

import argparse
import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import people
import run

from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

HERE = Path(__file__).parent / "dev-5"
KINDS = ("ssn", "mbi", "npi", "dea", "card", "icd10")
NAMES = {"icd10": "icd"}
#: Visa, Mastercard, Discover, American Express, Diners Club, JCB, UnionPay: how their numbers begin, and how long
BRANDS = (
    ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2719", 16), ("6011", 16), ("65", 16), ("644", 16), ("34", 15),
    ("37", 15), ("36", 14), ("3056", 14), ("3528", 16), ("6221", 16),
)  # fmt: skip


def lines(name: str) -> dict[str, list[str]]:
    """The sections of a file of `dev-5`: `[section]`, then one entry a line; `\\n` and `\\t` stand for themselves."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and " " not in line:
            current = found.setdefault(line[1:-1], [])
        elif line and not line.startswith("# "):
            current.append(line.replace("\\n", "\n").replace("\\t", "\t"))
    return found


def filled(template: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        template = template.replace("{" + key + "}", value)
    return template


def positives(kind: str, rng: random.Random) -> Iterator[tuple[str, Part]]:
    """Every layout under some labels, and every label in some layouts."""
    layouts, labels = lines("layouts.txt"), lines("labels.txt")[kind]
    mine = [("any", one) for one in layouts["any"]] + [(kind, one) for one in layouts.get(kind, ())]
    for (section, layout), label in itertools.chain(
        ((one, rng.choice(labels)) for one in mine for _ in range(8)),
        ((rng.choice([m for m in mine if "{label}" in m[1]]), label) for label in labels for _ in range(6)),
    ):
        person = people.person(rng.randrange(1 << 30), held=True)
        value = person[NAMES.get(kind, kind)]
        if "{value}" in layout and section == "any":
            value = shaped(kind, label, value, rng)
        more = {
            "amex": spaced("37", 15, rng),
            "diners": spaced("36", 14, rng),
            "npi2": people._luhn("2", 10, rng, "80840"),
        }
        more["brand"] = spaced(*rng.choice(BRANDS), rng)
        text = filled(layout, {**more, "label": label, "LABEL": label.upper(), "value": value, **person})
        where = Where.TEXT
        if text.startswith("FILE "):
            where, text = Where.NAME, text[5:]
        elif text.startswith(("<p", "<t", "<d", "<b", "<u")) and not text.startswith(
            ("<patient", "<prescriber", "<diag")
        ):
            where = Where.HTML
        yield f"{section}: {layout!r} {label!r}", Part(where, text)


def spaced(prefix: str, length: int, rng: random.Random) -> str:
    """A number of a card in the groups that its issuer prints: 4-4-4-4, 4-6-5, 4-6-4."""
    number = people._luhn(prefix, length, rng)
    ends = (4, 8, 12, 16) if length == 16 else (4, 10, length)
    return " ".join(number[begin:end] for begin, end in zip((0, *ends), ends, strict=False))


def shaped(kind: str, label: str, value: str, rng: random.Random) -> str:
    """A value as people write it under a label."""
    if kind == "ssn":
        return rng.choice((value, value, value.replace("-", " "), value.replace("-", ""), value.replace("-", ".")))
    if kind == "card":
        value = spaced(*rng.choice(BRANDS), rng)
        wrapped = value.replace(" ", "\n", 1) if rng.random() < 0.1 else value.replace(" ", "-")
        return rng.choice((value, value, value.replace(" ", ""), wrapped))
    if kind == "npi" and "np" in label.lower() and rng.random() < 0.4:
        return people._luhn("2", 10, rng, "80840")
    if kind == "mbi":
        bare = value.replace("-", "")
        return rng.choice((value, bare, bare.lower(), f"{bare[:4]} {bare[4:7]} {bare[7:]}"))
    return value


def negatives(rng: random.Random) -> Iterator[tuple[str, Part]]:
    """Numbers that would be identifiers, called something else."""
    for section, sentences in lines("things.txt").items():
        for sentence in sentences:
            for _ in range(8):
                person = people.person(rng.randrange(1 << 30), held=True)
                code = rng.choice(("E10", "E11", "F16", "G20", "T20", "M25", "I10", "B20", "C20", "R21", "J45"))
                more = {
                    "short": code,
                    "long": person["icd"] if "." in person["icd"] else "E11.9",
                    "imei": people._luhn("35", 15, rng),
                    "sixteen": people._luhn("9", 16, rng),
                    "nine": "".join(c for c in person["ssn"] if c.isdigit()),
                    "phone10": people._luhn("1", 10, rng, "80840"),
                }
                text = filled(sentence, {**person, **more})
                where = Where.HTML if text.startswith("<") else Where.TEXT
                if text.startswith("FILE "):
                    where, text = Where.NAME, text[5:]
                yield f"{section}: {sentence!r}", Part(where, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="*", choices=[*KINDS, []])
    parser.add_argument("--misses", action="store_true", help="each layout and label that was missed, each false one")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    for kind in given.kind or KINDS:
        found, missed = Counter[bool](), Counter[str]()
        for name, part in positives(kind, random.Random(f"{given.seed}-{kind}")):
            hit = kind in {f.kind for f in inspect([part]).found}
            found[hit] += 1
            if not hit:
                missed[name] += 1
        print(f"{kind:<6} recall {run.share(found[True], sum(found.values()))}")
        if given.misses:
            for name, count in missed.most_common():
                print("   ", count, name)
    wrong, total = Counter[tuple[str, str]](), Counter[str]()
    for name, part in negatives(random.Random(given.seed)):
        total["all"] += 1
        for kind in {f.kind for f in inspect([part]).found} & set(KINDS):
            wrong[(kind, name)] += 1
    for kind in KINDS:
        print(f"{kind:<6} wrong {run.share(sum(n for (k, _), n in wrong.items() if k == kind), total['all'])}")
    if given.misses:
        for (kind, name), count in wrong.most_common():
            print("   ", kind, count, name)


if __name__ == "__main__":
    main()
