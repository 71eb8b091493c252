"""The words a message is read with: those that are shipped, and those of packages."""

import importlib.util
import sys
from pathlib import Path

import pytest

from carepost.phi import lists, vocabulary
from carepost.phi.fold import flatten, fold

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[3]


def test_names_of_medicines_are_those_of_the_package_they_were_made_from() -> None:
    spec = importlib.util.spec_from_file_location("made_drugs", ROOT / "bench/phi/drugs.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.OUT.read_text("utf-8") == made.text()


def test_a_name_that_is_refused_is_no_medicine() -> None:
    refused = lists.read("notdrugs")[""]
    names = dict(lists.drugs())
    assert refused
    assert names.keys().isdisjoint(refused)
    assert names["ziagen"] == "abacavir"
    assert len(names) > 12_000


def test_what_is_taken_as_written_is_what_folding_makes_of_it() -> None:
    for _, substance in lists.drugs():
        for phrase in (substance, substance.title(), f"{substance}  x"):
            if vocabulary._as_written(phrase):
                assert phrase.lower() == flatten(fold(phrase).lower())


def test_reading_the_vocabulary_needs_no_package_of_drugs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "drug_named_entity_recognition", None)
    vocabulary.load.cache_clear()
    assert len(vocabulary.load()) > 15_000
