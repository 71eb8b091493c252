"""One line, one family: `.venv/bin/python bench/phi/sentences.py [--fold N] [--of 4] [--misses] [KIND ...]`.

Every line of `dev-5`'s files of sentences is a family of its own: identifiers as people send them, and ordinary
letters full of numbers that look like them. Each is made several times, with other people, and with other paragraphs
around it. `--fold` scores only the families of that fold, so that rules made from some are measured on others. A
development set: see README.md for which folds were looked at before the rules were changed.
"""

import argparse
import hashlib
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

import contexts
import people
import run

from carepost.phi import vocabulary
from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

FILES = (
    "cards", "ssns", "codes", "npis", "medicare", "deas", "ordinary-a", "ordinary-b", "letters", "ordinary-c",
    "ordinary-d", "subjects", "classes", "ordinary-e",
)  # fmt: skip
#: messages made of each line
EACH = 6
_NUMBERS = (
    ("card", r"card\w*|amex|diners|jcb|union"), ("ssn", r"ssn\w*"), ("icd10", r"icd\w*"), ("npi", r"npi\w*"),
    ("mbi", r"mbi\w*"), ("dea", r"dea\w*"),
)  # fmt: skip
#: codes of diagnosis that stand in a line itself
_CODED = re.compile(r"(?<![\w-])[A-Z]\d\d(?:\.\d\w*)?(?![\w-])")
_SHARED = (
    "E11.9",
    "I10",
    "J45.40",
    "M54.50",
    "F41.1",
    "E78.5",
    "K21.9",
    "N39.0",
    "R07.9",
    "S93.401A",
    "Z00.00",
    "C50.912",
)


class Case(NamedTuple):
    family: str
    parts: tuple[Part, ...]
    holds: frozenset[str]
    free: frozenset[str]


def fold_of(family: str, folds: int) -> int:
    return hashlib.sha256(family.encode()).digest()[0] % folds


def holds(line: str) -> frozenset[str]:
    named = set(re.findall(r"\{=?(\w+)\}", line))
    return frozenset(kind for kind, names in _NUMBERS if any(re.fullmatch(names, name) for name in named))


def _grouped(number: str) -> str:
    ends = (4, 8, 12, 16) if len(number) == 16 else (4, 10, len(number))
    return " ".join(number[begin:end] for begin, end in zip((0, *ends), ends, strict=False))


def _dea(rng: random.Random) -> str:
    made = people._dea(rng)
    return rng.choice("ABBFFGMP") + made[1:]


def _sound(rng: random.Random) -> str:
    return rng.choice("BCFGHKLMRSTW") + "".join(rng.choice("123456") for _ in range(3))


def values(rng: random.Random, codes: list[tuple[str, str]]) -> dict[str, str]:
    """Every placeholder of the files."""
    person = people.person(rng.randrange(1 << 30), held=rng.random() < 0.5)
    other = people.person(rng.randrange(1 << 30), held=True)
    digits = lambda n: str(rng.randint(1, 9)) + "".join(rng.choice("0123456789") for _ in range(n - 1))  # noqa: E731
    code = lambda: rng.choice(codes)  # noqa: E731
    card, card2 = (people._luhn(*rng.choice([b for b in contexts.BRANDS if b[1] == 16]), rng) for _ in range(2))
    (icd, title), (icd2, title2), (xicd, _), (xicdb, _) = code(), code(), code(), code()
    short = ("E10", "E11", "F16", "G20", "I10", "B20", "R21", "R51", "F32", "J18", "C61", "D64", "K35", "L40")
    mbi, mbi2, xmbi = (people._mbi(rng).replace("-", "") for _ in range(3))
    split = lambda m, by: f"{m[:4]}{by}{m[4:7]}{by}{m[7:]}"  # noqa: E731
    ssn, ssn2, xssn = (people._ssn(rng) for _ in range(3))
    npi, dea, xdea = people._luhn("1", 10, rng, "80840"), _dea(rng), _dea(rng)
    bad = lambda good: good[:-1] + str((int(good[-1]) + 3) % 10)  # noqa: E731
    plain = lambda: icd.replace(".", "")  # noqa: E731
    return {
        **person, "other": other["name"], "up": person["name"].upper(), "town": person["citystate"].split(",")[0],
        "exp": rng.choice(("04/28", "0928", "11/27", "7/29", "03/2028")), "last4": digits(4), "six": digits(6),
        "n": str(rng.randint(1, 9)),
        "card": _grouped(card), "cardspace": _grouped(card), "cardplain": card,
        "carddash": _grouped(card).replace(" ", "-"),
        "card2": _grouped(card2), "cardplain2": card2, "amex": _grouped(people._luhn("37", 15, rng)),
        "diners": _grouped(people._luhn("36", 14, rng)), "jcb": _grouped(people._luhn("3528", 16, rng)),
        "union": _grouped(people._luhn("6221", 16, rng)), **{f"q{n + 1}": card[4 * n : 4 * n + 4] for n in range(4)},
        "ssn": ssn, "ssn2": ssn2, "ssnplain": ssn.replace("-", ""), "ssnspace": ssn.replace("-", " "),
        "ssndot": ssn.replace("-", "."), **{f"s{n + 1}": part for n, part in enumerate(ssn.split("-"))},
        "mbi": mbi if rng.random() < 0.5 else split(mbi, "-"), "mbiplain": mbi, "mbidash": split(mbi, "-"),
        "mbispace": split(mbi, " "), "mbilow": mbi.lower(), "mbi2": mbi2, "m1": mbi[:4], "m2": mbi[4:7], "m3": mbi[7:],
        "npi": npi, "npi2": people._luhn("2", 10, rng, "80840"), "npispace": f"{npi[:3]} {npi[3:6]} {npi[6:]}",
        "npidash": f"{npi[:3]}-{npi[3:6]}-{npi[6:]}", "npidot": f"{npi[:4]}.{npi[4:7]}.{npi[7:]}",
        "dea": dea, "dea2": _dea(rng), "dealow": dea.lower(), "deaspace": f"{dea[:2]} {dea[2:]}",
        "deadash": f"{dea[:2]}-{dea[2:]}",
        "icd": icd, "title": title, "icdtwo": icd2, "titletwo": title2, "icdlow": icd.lower(), "icdflat": plain(),
        "icdflattwo": icd2.replace(".", ""),
        "xssn": xssn, "xssnplain": xssn.replace("-", ""), "xnine": digits(9), "zip4": f"{digits(5)}-{digits(4)}",
        "xein": f"{digits(2)}-{digits(7)}", "xduns": f"{digits(2)}-{digits(3)}-{digits(4)}",
        "xsin": f"{digits(3)} {digits(3)} {digits(3)}",
        "xthirteen": digits(13), "phone10": f"6{digits(9)}", "xnpi": people._luhn("1", 10, rng, "80840"),
        "xcard": _grouped(card2), "xcardplain": card2, "imei": people._luhn("35", 15, rng), "bad16": bad(card),
        "xicd": xicd, "xicdb": xicdb, "xicd3": rng.choice(short), "xicd3b": rng.choice(short),
        "xicdflat": xicd.replace(".", ""), "xicdflat3": rng.choice(short), "xmbi": split(xmbi, "-"), "xmbiplain": xmbi,
        "xdea": xdea, "soundex": _sound(rng), "soundexb": _sound(rng), "canpost": "K1A 0B1", "ukpost": "E10 5NJ",
        "hcpcs": rng.choice(("J3301", "A0428", "E0601", "G0008", "L1832", "K0823")), "hcpcs2": "E1390",
        "cdt": rng.choice(("D2740", "D7210", "D0150", "D1110")),
    }  # fmt: skip


def codes() -> list[tuple[str, str]]:
    """Codes with their point, half of them seen every day, and their titles."""
    known = vocabulary.load()
    rng = random.Random(16)
    rare = [f"{code[:3]}.{code[3:]}" for code in sorted(known.codes) if len(code) > 3 and code[0] not in "VWXY"]
    return [(c, known.title(c) or "") for c in (*_SHARED, *rng.sample(rare, 40)) if "." in c]


def cases(files: tuple[str, ...], seed: int = 5) -> Iterator[Case]:
    around = contexts.lines("around.txt")["around"]
    known = codes()
    for file in files:
        path = contexts.HERE / f"{file}.txt"
        if not path.exists():
            continue
        for line in path.read_text("utf-8").splitlines():
            if not line or line.startswith("# "):
                continue
            template = line.replace("\\n", "\n").replace("\\t", "\t")
            for number in range(EACH):
                rng = random.Random(f"{seed}/{file}/{line}/{number}")
                yield _case(f"{file}: {line}", template, values(rng, known), rng, around if number % 3 else [])


def _case(family: str, template: str, made: dict[str, str], rng: random.Random, around: list[str]) -> Case:
    held = holds(template)
    body = re.sub(r"\{=\w+\}", "", template)
    body = re.sub(r"\{([a-z0-9]+)\}", lambda m: made[m[1]], body)
    free = {"icd10"} if _CODED.search(template) and held else set()
    if body.startswith("FILE "):
        return Case(family, (Part(Where.SUBJECT, "as asked"), Part(Where.TEXT, "Attached."),
                             Part(Where.NAME, body[5:], number=1, group=1)), held, frozenset(free))  # fmt: skip
    subject, mark, rest = body.partition(" || ")
    subject, body = (subject, rest) if mark else ("", body)
    if not around:
        pass
    elif body.startswith(("<p>", "<ta", "<div", "<dl", "<ul")):
        body = f"<p>{_some(around, made, rng)}</p>{body}<p>{_some(around, made, rng)}</p>".replace("\n", "<br>")
    else:
        body = f"{_some(around, made, rng)}\n\n{body}\n\n{_some(around, made, rng)}"
    where = Where.HTML if body.startswith(("<p>", "<ta", "<div", "<dl", "<ul")) else Where.TEXT
    return Case(family, (Part(Where.SUBJECT, subject), Part(where, body)), held, frozenset(free))


def _some(around: list[str], made: dict[str, str], rng: random.Random) -> str:
    return re.sub(r"\{([a-z0-9]+)\}", lambda m: made[m[1]], "\n".join(rng.sample(around, rng.randint(1, 2))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="*", choices=[*contexts.KINDS, []])
    parser.add_argument("--fold", type=int, action="append")
    parser.add_argument("--file", action="append", help="of these files alone")
    parser.add_argument("--of", type=int, default=4)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    kinds = set(given.kind or contexts.KINDS)
    hit, told, wrong = Counter[str](), Counter[str](), Counter[str]()
    bad: dict[tuple[str, str, str], list[str]] = {}
    for case in cases(tuple(given.file or FILES), given.seed):
        if given.fold and fold_of(case.family, given.of) not in given.fold:
            continue
        found = {f.kind for f in inspect(case.parts).found} & kinds
        for kind in case.holds & kinds:
            told[kind] += 1
            hit[kind] += kind in found
            if kind not in found:
                bad.setdefault(("missed", kind, case.family), []).append(case.parts[-1].text)
        for kind in found - case.holds - case.free:
            wrong[kind] += 1
            bad.setdefault(("wrong", kind, case.family), []).append(case.parts[-1].text)
    for kind in sorted(kinds):
        precision = run.share(hit[kind], hit[kind] + wrong[kind])
        print(f"{kind:<6} recall {run.share(hit[kind], told[kind])}  precision {precision}")
    if given.misses:
        for (what, kind, family), texts in sorted(bad.items()):
            print(what, kind, len(texts), "|", family, "|", repr(texts[0])[:400])


if __name__ == "__main__":
    main()
