"""What a number is, by the words that touch it: one test for each class of what others wrote (decision 0058)."""

import pytest

from carepost.phi import heads
from carepost.phi.fold import look
from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

pytestmark = pytest.mark.fast

SSN, CARD, NPI, DEA, MBI = "512-44-9087", "4111 1111 1111 1111", "1234567893", "AB1234563", "1EG4-TE5-MK73"
SENDING_NONE = "Nobody should ever send a social security number by e-mail."


def kinds(text: str, where: Where = Where.TEXT) -> set[str]:
    return {found.kind for found in inspect([Part(where, text)]).found}


@pytest.mark.parametrize(
    ("text", "of", "word"),
    [
        (f"The carton count was {SSN}.", heads.Of.THING, "count"),
        (f"file {SSN}", heads.Of.THING, "file"),
        (f"Asteroid {SSN}", heads.Of.THING, "asteroid"),
        (f"created_at={SSN}", heads.Of.THING, "created_at"),
        (f"employee number {SSN}", heads.Of.THING, "employee"),
        (f"employee {SSN}", heads.Of.PERSON, "employee"),
        (f"Dr. Container {SSN}", heads.Of.PERSON, "container"),
        (f"Ann Example {SSN}", heads.Of.PERSON, "example"),
        (f"it is {SSN}", heads.Of.NOTHING, ""),
        (f"mine for the form is {SSN}", heads.Of.NOTHING, ""),
        (f"she typed {SSN}", heads.Of.NOTHING, ""),
        (SSN, heads.Of.NOTHING, ""),
    ],
)
def test_the_head_of_a_number(text: str, of: heads.Of, word: str) -> None:
    found = heads.head(look(text), text.index(SSN))
    assert (found.of, found.word) == (of, word)


def test_numbers_of_a_row_have_one_head() -> None:
    text = f"lots {SSN} and 512-44-9088"
    assert heads.head(look(text), text.index("512-44-9088")).word == "lots"


@pytest.mark.parametrize(
    "text",
    [
        f"The lease refers to file {SSN} at the registrar. {SENDING_NONE}",
        f"{SENDING_NONE} Your locker is {SSN}, says Ann Example.",
        f"Deed book {SSN}, grantor Ann Example, grantee Bob Example.",
        f"Employee number {SSN}, Ann Example, time clock reset",
        f"Ann Example caught trout tagged {SSN} in the creek.",
        f"Stainless (SS) flange {SSN}",
    ],
)
def test_a_thing_is_no_ssn_beside_a_person(text: str) -> None:
    assert "ssn" not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Claimant Ann Example | SSN / DOB: 512 44 9087 / 9/25/1987 | DOI 2/19/2026",
        "SS#/MRN: 512449087 / 88123",
        "SSN [512][44][9087]",
        f"E-Verify case for {SSN} shows tentative nonconfirmation (SSN)",
        f"For identity I need your SSN. Mine for the form is {SSN}, says Ann.",
        f"SSN changed from blank to {SSN}",
        "<table><tr><td>SSN</td><td>512</td><td>44</td><td>9087</td></tr></table>",
        f"FICA: {SSN}",
    ],
)
def test_an_ssn_however_it_is_labelled(text: str) -> None:
    assert "ssn" in kinds(text, Where.HTML if text.startswith("<t") else Where.TEXT)


def test_an_ssn_in_the_name_of_a_file_with_words_run_together() -> None:
    assert "ssn" in kinds("SocialSecurityCard_512449087.jpg", Where.NAME)


@pytest.mark.parametrize(
    "text",
    [
        f"Credit card for the deposit: {CARD} exp 04/28. Call Ann on arrival.",
        "Card [4111] [1111] [1111] [1111]",
        "card 4111 / 1111 / 1111 / 1111, good thru 04/28",
        "card number 4111_1111_1111_1111",
        "the card is 4111, 1111, 1111 and 1111",
        "Card#4111111111111111Exp04/28",
        "%B4111111111111111^EXAMPLE/ANN^2804101? swiped",
        f"What she wrote on the sticky note: {CARD}, 11/27",
        "creditCardNumber='4111111111111111'",
        f"P-card holder Ann Example, account number {CARD}, limit 2,500.",
    ],
)
def test_a_card_however_it_is_written(text: str) -> None:
    assert "card" in kinds(text)


@pytest.mark.parametrize("kind", ["Donor", "Parking", "Report", "Library", "Key", "Gift", "SD", "Time", "Loyalty"])
def test_a_card_that_pays_nothing(kind: str) -> None:
    assert "card" not in kinds(f"{kind} card 4111111111111111")


@pytest.mark.parametrize("text", ["facebook post 4111111111111111", "Card reader serial 4111111111111111"])
def test_sixteen_digits_of_a_thing(text: str) -> None:
    assert "card" not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "HL7: MSH|^~\\&|A|B|C|D|2026||RDE^O11|88|P|2.5",
        "Asthma class is on Monday.\n\nAlarm S52.502, pump room",
        "The diabetes class moved.\n\nFire code F41.9",
        "New ICD-10-CM codes take effect in October.\n\nThe F16 and F35 fly over at noon",
        "Patients wait in the hall.\n\nMenu C61: noodles",
        "HL7 events A01, A03 and A08 are sent",
        "Bring your Medicare card.\n\nPostcode E10 5NJ",
        '{"id":"F41.9","name":"chair"}',
        "code,color\nS01.321,red\nS56.116,blue",
        "Problem O09.02 in the textbook",
        "Our patients waited, some with asthma.\n\nRelease notes\n- F41.1 faster login\n- M79.643 fewer crashes",
    ],
)
def test_what_is_numbered_as_a_diagnosis_is(text: str) -> None:
    assert "icd10" not in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Reason for exam E11.9 Type 2 diabetes mellitus",
        "1.E11.9 2.N35.013  (dx list for Ann Example)",
        "HI*ABJ:J4540~",
        "transplant listing S45.301",
        "OT orders S52.502",
        "99214-25, 20610, M79.643",
        "Strain of tendon of left ring finger at forearm level S56.116",
        "icd10cm: l98.453",
        "my insurance says code S37.539 isn't covered, what is my diagnosis",
    ],
)
def test_a_code_of_diagnosis_however_it_is_said(text: str) -> None:
    assert "icd10" in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        f"missing NPI on the order, it is {NPI}",
        f"IVR asks for NPI, key in {NPI}#",
        f"[08:10] Ann: npi for Example?\n[08:12] desk: {NPI}",
        f"NPI del médico que refiere: {NPI}",
        f"DEA/NPI {DEA} / {NPI}",
    ],
)
def test_an_npi_that_the_sentence_comes_back_to(text: str) -> None:
    assert "npi" in kinds(text)


@pytest.mark.parametrize("noun", ["Epoch", "Auth code", "Pharmacy shelf label", "created_at =", "Customer number"])
def test_ten_digits_of_a_thing_beside_a_clinic(noun: str) -> None:
    assert "npi" not in kinds(f"NPI lists are due.\n\n{noun} {NPI}\n\nThe clinic is closed.")


def test_mbi_and_dea_by_their_own_words() -> None:
    assert "mbi" in kinds("Part B 1EG4TE5MK73 for Ann Example, flu shot")
    assert "mbi" in kinds(f"Medicare-{MBI}")
    assert "dea" in kinds(f"DEA audit: registrant {DEA}, Nowhere Clinic")
    assert "mbi" not in kinds(f"Bring your Medicare card.\n\nCoupon {MBI}")
    assert "dea" not in kinds(f"DEA museum tour, ticket {DEA}")
    assert "dea" not in kinds(f"DEA rules changed.\n\nContainer {DEA}\n\nDEA rules changed.")
