"""Makes `words/drugs.txt`: names of medicines, from the package `drug-named-entity-recognition` (MIT; group test).

`python bench/phi/drugs.py`: its dictionary is 8 MB and takes most of a second to read; what is used of it is 200 KB.
Of 20,000 substances those are kept that a patient's leaflet or an article exists for. A test compares."""

import bz2
import importlib.util
import pathlib
import pickle
import re
from typing import Any

OUT = pathlib.Path(__file__).parents[2] / "src/carepost/phi/words/drugs.txt"
_DRUG = re.compile(r"[a-z][a-z-]{3,24}(?: [a-z-]{3,20})?")
_LEAFLETS = ("medline_plus_id", "nhs_url", "wikipedia_url")
HEAD = """# Names of medicines by what they are names of (substance: name|name); made by bench/phi/drugs.py from the
# dictionary of PyPI drug-named-entity-recognition 2.0.9 (MIT, Copyright (c) 2023 Fast Data Science Ltd)
"""


class Plain(pickle.Unpickler):
    """Dictionaries, lists and strings; anything that would need a class is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} in a dictionary of drugs")


def names() -> list[tuple[str, str]]:
    """(name, the substance it is of), in the package's order. The package is not imported: only its data is read."""
    spec = importlib.util.find_spec("drug_named_entity_recognition")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("drug-named-entity-recognition is not installed: it is in the group test")
    with bz2.open(pathlib.Path(spec.submodule_search_locations[0]) / "drug_ner_dictionary.pkl.bz2") as packed:
        known = Plain(packed).load()
    given = {
        name
        for name, facts in known["drug_canonical_to_data"].items()
        if any(leaflet in facts for leaflet in _LEAFLETS)
    }
    return [
        (variant, canonical[0])
        for variant, canonical in known["drug_variant_to_canonical"].items()
        if _DRUG.fullmatch(variant) and not given.isdisjoint(canonical)
    ]


def text() -> str:
    """The file: names side by side that are of one substance share a line."""
    lines: list[tuple[str, list[str]]] = []
    for name, substance in names():
        if not lines or lines[-1][0] != substance:
            lines.append((substance, []))
        lines[-1][1].append(name)
    return HEAD + "\n".join(f"{substance}: {'|'.join(found)}" for substance, found in lines) + "\n"


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
    print(len(names()))
