"""What could be an identifier, and what the words around it say of it."""

import time

import pytest

from carepost.phi import verdict, vocabulary
from carepost.phi.candidates import KINDS, candidates
from carepost.phi.explain import explain
from carepost.phi.fold import look
from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

CARD, NPI, DEA, MBI = "4111111111111111", "1234567893", "AB1234563", "1EG4TE5MK73"


def kinds(text: str, subject: str = "") -> set[str]:
    return {found.kind for found in inspect([Part(Where.SUBJECT, subject), Part(Where.TEXT, text)]).found}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssn", "512-44-9087"), ("ssn", "512449087"), ("ssn", "512 44 9087"), ("ssn", "512.44.9087"),
        ("npi", NPI), ("npi", "123-456-7893"), ("npi", "1234 567 893"), ("dea", DEA), ("dea", "ab 1234563"),
        ("mbi", MBI), ("mbi", "1EG4-TE5-MK73"), ("mbi", "1eg4 te5 mk73"), ("card", CARD),
        ("card", "4111 1111 1111 1111"), ("card", "4111/1111/1111/1111"), ("card", "4111 1111 1111 1111 04/28"),
        ("icd10", "E11.9"), ("icd10", "e11.9"), ("icd10", "I10"), ("icd10", "E119"),
    ],
)  # fmt: skip
def test_a_right_form_is_a_candidate_wherever_it_stands(kind: str, text: str) -> None:
    found = list(candidates(look(f"so, {text} it is"), vocabulary.load()))
    assert kind in {one.kind for one in found}


@pytest.mark.parametrize(
    "text", ["000-44-9087", "1234567890", "AB1234560", "1SG4TE5MK73", "4111111111111112", "E99.99"]
)
def test_a_wrong_form_is_none(text: str) -> None:
    assert list(candidates(look(f"so, {text} it is"), vocabulary.load())) == []


def test_a_postal_code_of_nine_digits_is_no_ssn_whatever_else_a_form_asks_for() -> None:
    form = "Cardholder\n  ANN FINCH\nDate of birth\n  03/14/1961\nBilling ZIP+4\n  45011-4312\nAmount\n  $120.00"
    assert "ssn" not in kinds(form)
    assert "ssn" not in kinds(
        "Old address  12 Mill Rd, Hamilton, OH 45011-4312. Member number 8R27KT3HH93", "New address"
    )
    # what a label names is the rules' affair
    assert "ssn" in kinds("Her SSN: 45011-4312, please check.")


@pytest.mark.parametrize(
    ("kind", "text", "subject"),
    [
        ("ssn", "Payroll cannot run without it. Full number is 512-44-9087, thanks.", "my W-2"),
        ("ssn", "My 1095-C is wrong. It should read 512-44-9087, please correct it.", "tax form"),
        ("icd10", "Visit note for Ann, M17.11, injection of the knee tolerated", "knee"),
    ],
)
def test_what_no_label_names_is_found_by_the_words_around_it(kind: str, text: str, subject: str) -> None:
    assert kind in kinds(text, subject)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssn", "Gasket 512-44-9087 is on back order, two in the bin."),
        ("card", f"Frequent flyer no. {CARD}, please add it to the booking."),
        ("mbi", f"Use {MBI} at checkout for free shipping."),
        ("icd10", "Typeface Q12.4, licensed for print only"),
    ],
)
def test_what_the_words_call_a_thing_is_none(kind: str, text: str) -> None:
    assert kind not in kinds(text)


def test_the_weights_decide_but_not_where_its_own_label_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the weights say nothing, only the rules' yes is enough; where they speak against it, it is none, but for a
    number right after its own label."""
    asked = "Claimant Ann Example, born 4/4/1970: 512-44-9087"
    monkeypatch.setattr(verdict, "weights", lambda: {kind: {} for kind in KINDS})
    assert "ssn" in kinds(asked)
    assert "ssn" not in kinds("My 1095-C is wrong. It should read 512-44-9087, please correct it.", "tax form")
    monkeypatch.setattr(verdict, "weights", lambda: {kind: {"always": -5.0} for kind in KINDS})
    assert "ssn" not in kinds(asked)
    assert "ssn" in kinds("SSN 512-44-9087")


def test_it_says_by_what_and_never_the_value() -> None:
    findings = inspect([Part(Where.SUBJECT, "my W-2"), Part(Where.TEXT, "Full number is 512-44-9087, thanks.")])
    (found,) = (f for f in findings.found if f.kind == "ssn")
    assert found.near in verdict.EVIDENCE
    assert found.line == 1
    said = "; ".join(explain(findings))
    assert found.near in said
    assert "9087" not in said


def test_weights_are_of_facts_and_of_every_kind() -> None:
    known = verdict.weights()
    assert set(known) == set(KINDS)
    for kind in KINDS:
        assert len(known[kind]) > 500
        assert "always" in known[kind]


def test_a_text_of_nothing_but_candidates_is_bounded() -> None:
    """Four times the codes below the longest text that is weighed: no more than eight times the time."""
    taken = []
    for times in (500, 2_000):
        part = [Part(Where.TEXT, "".join(f"E11.{n % 10} x{n}\n" for n in range(times)))]
        assert len(part[0].text) < verdict.LONGEST
        began = time.process_time()
        inspect(part)
        taken.append(time.process_time() - began)
    assert taken[1] < 8 * taken[0]


def test_a_text_longer_than_what_is_weighed_is_read_by_the_rules() -> None:
    asked = "It should read 512-44-9087, please correct it."
    assert "ssn" in kinds(f"My 1095-C is wrong. {asked}", "tax form")
    assert "ssn" not in kinds(f"My 1095-C is wrong. {asked}\n\n" + "so it goes on. " * 2_100, "tax form")


def test_a_sample_that_is_said_to_be_one_is_not_taken_by_its_label_alone() -> None:
    """What stands after its own label is weighed where its line says that it is no real number."""
    assert "npi" in kinds("NPI 1234567893, Dr. Ann Example, referred the patient")
    assert "npi" not in kinds("training deck has NPI 1234567893, made up")
    assert "card" not in kinds("test card 4111 1111 1111 1111, works in staging only")


def test_an_old_medicare_number_is_the_social_security_number_before_its_letter() -> None:
    assert "ssn" in kinds("old hicn 512449087A, replaced by 1EG4TE5MK73")
    assert "ssn" not in kinds("Bracket 512449087A fits the rail")


def test_ten_digits_that_no_telephone_can_have_are_weighed() -> None:
    """2 begins an NPI and a telephone; an exchange never begins with 0 (NANPA)."""
    assert "npi" in kinds("Supplier 2820306209, ordering 1245319599, KX missing on the brace for M17.11")
    assert "npi" not in kinds("Call the front desk at 2175550148")


@pytest.mark.parametrize(
    ("kind", "text", "real"),
    [
        ("npi", "In class we built a dummy NPI, 1245319599, on the board.", "In class we built an NPI, 1245319599."),
        ("ssn", "Ann Example SSN 512-44-9087, fictional people only", "Ann Example SSN 512-44-9087, our people only"),
        ("mbi", "made up Medicare number 1EG4-TE5-MK73", "written up: Medicare number 1EG4-TE5-MK73"),
    ],
)
def test_what_is_called_invented_is_nobodys_whatever_its_label_says(kind: str, text: str, real: str) -> None:
    assert kind not in kinds(text)
    assert kind in kinds(real)


def test_a_report_of_fraud_names_numbers_that_are_real() -> None:
    assert "npi" in kinds("Scripts under fake names, printed on the pad: NPI 1245319599, promethazine")
