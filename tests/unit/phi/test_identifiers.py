"""Which numbers are identifiers, and which only look like one."""

import pytest

from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Score, Strength, Where

pytestmark = pytest.mark.fast


def strong(text: str) -> set[str]:
    found = inspect([Part(Where.TEXT, text)]).found
    return {f.kind for f in found if f.score is Score.IDENTIFIER and f.strength is Strength.STRONG}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SSN: 512-44-9087", "ssn"),
        ("social security number 512 44 9087", "ssn"),
        ("soc sec no. 512449087", "ssn"),
        ("S.S.N. 512.44.9087", "ssn"),
        ("Her social is on the form." + " x" * 60 + " 512-44-9087", "ssn"),
        ("ssn 5 1 2 4 4 9 0 8 7", "ssn"),
        ("Patient name Ann Example, 512-44-9087", "ssn"),
        ("ITIN 912-70-1234", "itin"),
        ("MBI 1EG4TE5MK73", "mbi"),
        ("1EG4-TE5-MK73", "mbi"),
        ("MRN 00482911", "mrn"),
        ("Medical record number is 482-911-77", "mrn"),
        ("chart # 482911", "mrn"),
        ("Subscriber ID: XYZ123456789", "member-id"),
        ("Medicaid number 12345678A", "member-id"),
        ("DOB 3/14/62", "dob"),
        ("d.o.b. 14 March 1962", "dob"),
        ("born on March 14th, 1962", "dob"),
        ("Date of birth\n1962-03-14", "dob"),
        ("fecha de nacimiento 14 de marzo de 1962", "dob"),
        ("driver's license number D4471120", "driver-licence"),
        ("visa 4111-1111-1111-1111", "card"),
        ("Passport no 548812345", "passport"),
        ("MRN\tDOB\n88213345\t3/14/1962", "mrn"),
        ("PID|1||88213345^^^H^MR||Example^Ann||19620314|F", "dob"),
        ("a,b\nname,ssn\nAnn Example,512-44-9087", "ssn"),
    ],
)
def test_identifiers(text: str, kind: str) -> None:
    assert kind in strong(text)


@pytest.mark.parametrize(
    "text",
    [
        "Invoice 512449087",
        "SSN on file. Tracking number 512449087",
        "ZIP 45011-4312",
        "000-44-9087 ssn",
        "ssn 512-44-9087-1",
        "order 512-44-90871",
        "phone 512-449-0871",
        "The meeting is on 3/14/2026",
        "MRN 2024",
        "chart 3/14/2026",
        "medical record $48291.00",
        "card 4111 1111 1111 1112",
        "MBI 1SG4TE5MK73",
        "162 mg/dL 12345",
        "NPI 1234567893",
        "license key A4K9-E119-J449",
    ],
)
def test_look_alikes(text: str) -> None:
    assert strong(text) == set()


def test_a_providers_number_weighs_nothing_against_a_patient() -> None:
    found = inspect([Part(Where.TEXT, "Prescriber NPI 1234567893, DEA AB1234563, treats asthma")])
    assert {"npi", "dea"} <= {f.kind for f in found.found}
    assert found.identifiers == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Dx: E11.9", "E11.9"),
        ("diagnosis code J45.40", "J45.40"),
        ("asthma (J45.40)", "J45.40"),
        ("F33.1 major depressive disorder, recurrent", "F33.1"),
        ("ICD-10 S72.001A", "S72.001A"),
        ("assessment: hypertension I10", "I10"),
    ],
)
def test_icd_codes_with_their_title_or_a_keyword(text: str, code: str) -> None:
    assert code in {f.term for f in inspect([Part(Where.TEXT, text)]).found}


@pytest.mark.parametrize("text", ["Dx: E11.99", "room E10", "part M54.50 printers", "Dx: X99.99", "seat B12, form I10"])
def test_no_icd_code_without_both(text: str) -> None:
    assert "icd10" not in {f.kind for f in inspect([Part(Where.TEXT, text)]).found}


def test_parts_of_a_medicare_number_are_no_diagnosis() -> None:
    assert kinds("MBI_7GF1-T24-AH02_Example_eligibility.pdf", Where.NAME) == {"mbi"}


def kinds(text: str, where: Where = Where.TEXT) -> set[str]:
    return {f.kind for f in inspect([Part(where, text)]).found}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssn", "SSN 474-67-7O40"),
        ("ssn", "474677040 (SSN)"),
        ("ssn", "SSN\u2014474\u201367\u20137040\u2014call"),
        ("ssn", "NSS 474677040"),
        ("ssn", "S.S.# 474677040"),
        ("ssn", "SSN 474-67-\n7040"),
        ("ssn", "SSN_474_67_7040_x"),
        ("ssn", "socialSecurityNumber: 474677040"),
        ("icd10", "6 visits, C50.912 breast cancer."),
        ("icd10", "the paper says I10, hypertension, which"),
        ("icd10", "dx e11.9"),
        ("icd10", "Dx: E1l.9"),
        ("icd10", "c\u00f3digo CIE-10: E11.9"),
        ("icd10", "coded by the clinic, code F32.9"),
        ("icd10", "member W123456789 denied F32.9"),
        ("icd10", "Dx1: E11.9"),
        ("icd10", "patient,dob,code\nAnn Example,1/2/1970,E11.9"),
        ("npi", "1234567893 (NPI)"),
        ("npi", "NPI: 1234-567-893"),
        ("npi", "NPI1234567893"),
        ("npi", "npi|dea\n1234567893|AB1234563"),
        ("dea", "npi|dea\n1234567893|AB1234563"),
        ("dea", "DEA AB 1234563"),
        ("dea", "registro DEA: AB1234563"),
        ("mbi", "Medicare 1EG4.TE5.MK73"),
        ("mbi", "MBI: lEG4-TE5-MK73"),
        ("mbi", "MBI1EG4TE5MK73"),
        ("card", "Visa 4111.1111.1111.1111"),
        ("card", "tarjeta 4111 1111 1111 1111"),
        ("card", "MC 4111 1111\n1111 1111"),
        ("card", "card: 4111-1111-1111-1111_exp"),
    ],
)
def test_labels_separators_tables_and_scanned_letters(kind: str, text: str) -> None:
    assert kind in kinds(text)


def test_a_label_that_touches_its_number_in_the_name_of_a_file() -> None:
    assert "ssn" in kinds("Example_Ann_SSN474-67-7040_results.pdf", Where.NAME)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("icd10", "Row\tPatient\tDOB\tCode\tProcedure\n1\tAnn Example\t04/17/1971\tD7210\tsurgical extraction"),
        ("icd10", "diagnosis: asthma, patient in Room B20"),
        ("icd10", "CDT D7210 extraction"),
        ("icd10", "error code E11"),
        ("icd10", "code M54.5 printers"),
        ("npi", "call 1234567893"),
        ("ssn", "tracking 474-67-7040"),
        ("card", "invoice 4111111111111111"),
    ],
)
def test_numbers_that_are_called_something_else(kind: str, text: str) -> None:
    assert kind not in kinds(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("npi", "Attending: Dr. Example (1234567893)"),
        ("npi", "Box 24J: 1234567893"),
        ("npi", "NM1*85*2*NOWHERE CLINIC*****XX*1234567893~"),
        ("npi", "PERF PROV 1234567893  SERV DATE 3/4/2026"),
        ("npi", "PV1|1|O|CLINIC^1||||1234567893^Example^Ann"),
        ("npi", "patient\tdob\tattending\nAnn Example\t1/2/1970\t1234567893"),
        ("npi", "Patient   Rendering   Date\nExample   1234567893   3/4/2026"),
        ("npi", '<id root="2.16.840.1.113883.4.6" extension="1234567893"/>'),
        ("npi", "NPI: 12345 67893"),
        ("ssn", "1) social: 512 44 9087"),
        ("ssn", "REF*SY*512449087~"),
        ("ssn", "GT1|1||Example^Ann|||||||||512449087"),
        ("ssn", '{"guarantorSsn": "512449087"}'),
        ("ssn", "S.S. No. is 512449087"),
        ("ssn", "Name   SSN   Plan\nExample   512449087   PPO"),
        ("ssn", "Ann Example, 512-44-9087, needs the cast off"),
        ("mbi", "MBI 1 E G 4 T E 5 M K 7 3"),
        ("mbi", "Can you run 1EG4TE5MK73 for me?"),
        ("dea", "Prescriber: Ann Example MD, AB1234563"),
        ("dea", "DEA A B 1 2 3 4 5 6 3"),
        ("card", "Visa 4111111111111111 0429 123"),
        ("card", "AMEX 3782.822463.10005"),
        ("icd10", "Claim for Ann Example was denied, I10 does not support 93000"),
        ("icd10", "CPT   ICD   Units\n99213   I10   1"),
        ("icd10", "HI*ABK:E119*ABF:I10~"),
        ("icd10", "HIV disease (B20)"),
        ("icd10", "dx e119"),
        (
            "card",
            "Card on file: it was printed on your receipt; the new one you left, 4111 1111 1111 1111, replaces it.",
        ),
        ("card", "The card on your order: 4111 1111 1111 1111"),
        ("card", "Invoice   Card Number   Amount\n88123   5555 5555 5555 4444   40.00"),
        ("card", "Cardholder Ann Example\nReceipt 8831\n4111 1111 1111 1111"),
        ("card", "Amex 3782\n822463 10005"),
        ("card", "Diners 3056 - 930902 - 5904"),
        ("card", "Mastercard 55555555-\n55554444"),
        ("card", "PAN4111111111111111"),
        ("npi", "NM1*82*1*EXAMPLE*ANN***MD*XX*2123456784~"),
        ("npi", "npi for the new oncologist = 2123456784 if you need it"),
        ("npi", "NPI/DEA 2123456784 AB1234563"),
        ("npi", "NPI for claim 8831 is 2123456784"),
        ("npi", "NPI number, as we told you on the phone, is 2123456784"),
    ],
)
def test_identifiers_known_by_their_place(kind: str, text: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize("kind", ["mbi", "npi"])
def test_numbers_in_the_name_of_a_file(kind: str) -> None:
    assert kind in kinds("claim-1234567893-1EG4-TE5-MK73.txt", Where.NAME)
    assert kind not in kinds("PO_1234567893 serial 1EG4-TE5-MK73.txt", Where.NAME)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssn", "Meter 512-44-9087-A, reading 48812"),
        ("ssn", "Map sheet 512-44-9087"),
        ("ssn", "part,qty,price\n512-44-9087,2,10.00"),
        ("ssn", "The lock on the shed opens with 512-44-9087"),
        ("ssn", "Never mail your social security number. Your meter number is 512-44-9087."),
        ("mbi", "Serial number 1EG4-TE5-MK73"),
        ("npi", "order,qty\n1234567893,4"),
        ("npi", "Dr. Example's order 1234567893 of chairs"),
        ("npi", "The doctor may be reached at 2123456784"),
        ("dea", "Flight record locator AB1234563"),
        ("card", "Loyalty number 4111 1111 1111 1111"),
        ("card", "We have your card. Tracking number: 4111 1111 1111 1111"),
        ("npi", "Our NPI is on file. Telephone of the doctor (direct): 2123456784"),
        ("ssn", "Serials:\n1 | MY246V5653Q | 978829941\n2 | 8CD1R49EX3 | 512-44-9087"),
        ("icd10", "Label stock S72.00 is sold out, L70.0 fits the same printer. Price $854.33 a roll."),
        ("icd10", "ICD-10 codes such as E11 stand for a diagnosis"),
        ("icd10", "Use code D22 at checkout for half off skin cream, ask any pharmacist"),
        ("icd10", "Diagnosis: the engine knocks on E10 fuel"),
        ("icd10", "OBD diagnostic code P0730, the transmission slips"),
        ("icd10", "Buses I10 and F33 stop at the clinic"),
        ("icd10", "Rooms F16 and E11 are closed for a diagnosis of the heating"),
        ("icd10", "Seat\tRow\nE11\tG35"),
    ],
)
def test_things_that_are_numbered_as_identifiers_are(kind: str, text: str) -> None:
    assert kind not in kinds(text)
