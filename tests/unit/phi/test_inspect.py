"""The door: parts in, findings out; what belongs together, what leaves, how many."""

import msgspec
import pytest

from carepost.ground.errors import ConfigError
from carepost.phi import vocabulary
from carepost.phi.explain import explain
from carepost.phi.inspect import inspect
from carepost.phi.level import individual, level
from carepost.phi.types import Findings, Genre, Level, Part, Recipient, Where

pytestmark = pytest.mark.fast

SSN = "SSN 512-44-9087"


def test_nothing_says_nothing() -> None:
    assert inspect([]) == Findings()
    assert inspect([Part(Where.TEXT, "")]).level_individual is Level.NONE


def test_subject_and_body_belong_together_and_the_subject_is_answered_for_apart() -> None:
    found = inspect([Part(Where.SUBJECT, SSN), Part(Where.TEXT, "He has asthma.")])
    assert (found.level, found.subject) == (Level.PHI_HIGH, Level.PII_ONLY)
    found = inspect([Part(Where.SUBJECT, "Your biopsy results are back"), Part(Where.TEXT, "Please log in.")])
    assert found.subject is Level.PHI_LIKELY


def test_across_files_weak_words_weigh_less() -> None:
    one_word = [Part(Where.TEXT, SSN), Part(Where.DOCUMENT, "the doctor's plan", number=1, group=1)]
    assert inspect(one_word).level is Level.PII_ONLY
    assert inspect([Part(Where.TEXT, f"{SSN}, the doctor's plan")]).level is Level.PHI_HIGH
    illness = [Part(Where.TEXT, SSN), Part(Where.DOCUMENT, "asthma", number=1, group=1)]
    assert inspect(illness).level is Level.PHI_HIGH


def test_the_name_of_a_file_is_read_with_its_text() -> None:
    parts = [
        Part(Where.NAME, "Sampleton_Jane_1962.pdf", number=1, group=1),
        Part(Where.DOCUMENT, "MRN 88213345 was seen for asthma.", number=1, group=1),
    ]
    found = inspect(parts)
    assert found.level is Level.PHI_HIGH
    assert any("attachment 1, line 1" in phrase for phrase in explain(found))


@pytest.mark.parametrize(("count", "bulk"), [(9, False), (10, True)])
def test_ten_different_identifiers_are_bulk(count: int, bulk: bool) -> None:
    rows = "\n".join(f"SSN 512-44-90{n:02}, SSN 512-44-90{n:02}" for n in range(10, 10 + count))
    found = inspect([Part(Where.TEXT, rows), Part(Where.HTML, f"<p>{rows}</p>")])
    assert (found.identifiers, found.bulk) == (count, bulk)
    assert (f"{count} different identifiers" in explain(found)) is bulk


def test_findings_cross_a_pipe() -> None:
    found = inspect(
        [Part(Where.SUBJECT, SSN), Part(Where.TEXT, "dx E11.9, metformin 500 mg")], unread=("encrypted zip",)
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Findings) == found
    assert msgspec.json.decode(msgspec.json.encode(found), type=Findings) == found
    assert found.v == 1
    assert "not read: encrypted zip" in explain(found)


def test_the_html_of_a_body_repeats_nothing_its_text_has_said() -> None:
    found = inspect([Part(Where.TEXT, f"{SSN} asthma"), Part(Where.HTML, f"<p>{SSN} asthma</p>")])
    assert [f.where for f in found.found if f.kind == "ssn"] == [Where.TEXT]


def test_an_explanation_without_terms_names_no_illness() -> None:
    found = inspect([Part(Where.TEXT, "Dx: E11.9, SSN 512-44-9087")])
    assert any("E11.9" in phrase for phrase in explain(found))
    assert not any("E11" in phrase for phrase in explain(found, terms=False))


@pytest.mark.parametrize(
    ("recipient", "person"),
    [
        (Recipient("pat@mailbox.example"), True),
        (Recipient("billing@partner.example"), False),
        (Recipient("Referrals+east@partner.example"), False),
        (Recipient("ann@clinic.test", own=True), False),
        (Recipient("billing@partner.example", individual=True), True),
        (Recipient("pat@mailbox.example", individual=False), False),
        (Recipient(""), True),
    ],
)
def test_whose_address_is_a_person(recipient: Recipient, person: bool) -> None:
    assert individual(recipient) is person
    found = inspect([Part(Where.TEXT, "Your MRI results are ready")])
    assert level(found, recipient) is (Level.PHI_LIKELY if person else Level.HEALTH_GENERIC)


def test_a_genre_never_hides_an_identifier() -> None:
    found = inspect([Part(Where.TEXT, f"Name: ____ DOB: ____ Phone: ____ [ ] asthma\n{SSN}\nUnsubscribe")])
    assert found.genre is Genre.FORM
    assert found.level is Level.PHI_HIGH


def test_a_disclaimer_is_no_hiding_place() -> None:
    footer = "This e-mail may contain protected health information of a patient with asthma under HIPAA."
    assert inspect([Part(Where.TEXT, footer)]).level_individual is Level.NONE
    assert inspect([Part(Where.TEXT, f"{footer[:-1]} {SSN}, dx J45.40.")]).level is Level.PHI_HIGH


def test_without_the_extra_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "INSTALLED", False)
    vocabulary.load.cache_clear()
    try:
        with pytest.raises(ConfigError, match="extra `phi`"):
            inspect([Part(Where.TEXT, "x")])
    finally:
        monkeypatch.undo()
        vocabulary.load.cache_clear()


def test_the_vocabulary_knows_the_codes() -> None:
    known = vocabulary.load()
    assert known.title("E11.9") == "Type 2 diabetes mellitus without complications"
    assert known.title("S72.001A")
    assert known.title("E11.99") is None
    assert len(known) > 15_000


TIP = (
    "Coding corner: kidney disease. For type 2 diabetes with chronic kidney disease report E11.22; see the excludes "
    "notes of N18. Do not code from the problem list alone. Next tip: laterality. HIM, section I.C.4."
)


@pytest.mark.parametrize(
    "more",
    [
        "",
        "\n\nAna Quintero, RHIA, (941) 555-2318",  # who signs below
        "\nDear colleagues, walk-ins are welcome at the coding clinic.",
    ],
)
def test_what_goes_to_all_of_a_trade_is_about_nobody(more: str) -> None:
    """Section 4: health without a person. Codes and illnesses, and not one patient."""
    found = inspect([Part(Where.SUBJECT, "Coding tip"), Part(Where.TEXT, TIP + more)])
    assert found.genre is Genre.BULLETIN
    assert found.level is found.level_individual is Level.HEALTH_GENERIC


@pytest.mark.parametrize(
    "more",
    [
        "\nAs for Ana Quintero with E11.22: query the doctor.",
        "\nAna Quintero\nE11.22 on Monday",
        "\nShe was admitted with E11.22 on Monday.",
        "\nMRN 4471902 is the example, E11.22.",
        "\nPatient: Ana Quintero, DOB 03/14/1961, E11.22.",
        "\nMy A1c was 9.1, can I come?",
    ],
)
def test_a_patient_in_what_goes_to_all_is_told_of_all_the_same(more: str) -> None:
    found = inspect([Part(Where.SUBJECT, "Coding tip"), Part(Where.TEXT, TIP + more)])
    assert found.genre is not Genre.BULLETIN
    assert found.level_individual >= Level.PHI_LIKELY


def test_how_a_diagnosis_ends_is_no_label_of_a_number() -> None:
    table = "S46.011A, strain of rotator cuff, right shoulder, initial encounter\n29881 per procedure"
    assert "mrn" not in {f.kind for f in inspect([Part(Where.TEXT, table)]).found}
    assert "mrn" in {f.kind for f in inspect([Part(Where.TEXT, "Seen for a strain. Encounter 2988114")]).found}
