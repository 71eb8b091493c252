"""Identifiers beside people and care, labels in the subject, and fields by their standard names."""

import pytest

from carepost.phi.inspect import inspect
from carepost.phi.types import Part, Where

pytestmark = pytest.mark.fast


def kinds(text: str, subject: str = "") -> set[str]:
    return {found.kind for found in inspect((Part(Where.SUBJECT, subject), Part(Where.TEXT, text))).found}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("mbi", "1EG4TE5MK73 A. Example - order by NPI 1234567893"),
        ("mbi", "NM1*IL*1*EXAMPLE*ANN****MI*1EG4TE5MK73~"),
        ("mbi", "bene_id,episode\n1EG4TE5MK73,hip fx"),
        ("mbi", "302-C2 1EG4TE5MK73 301-C1 MEDB"),
        ("icd10", "Case note: E. Example: needs continue - Z47.1, Z96.641."),
        ("icd10", "Pt Ann Example DVT R popliteal I82.431."),
        ("icd10", "Admitting Dx......K85.90"),
        ("icd10", "424-DO H74399"),
        ("card", "form of payment AX378282246310005/1128"),
        ("card", "TRACK2=;4111111111111111=2809101000000?"),
        ("card", "Deposit by my brother, 4111-1111-1111-1111; thanks"),
        ("card", "Autopay on 4111111111111111 failed"),
        ("dea", "registrant AB1234563; item oxycodone 10 mg"),
        ("dea", "PRESCRIBER ID AB1234563 NOT COVERED"),
        ("dea", "hospital DEA AB1234563-0421 for the resident"),
        ("npi", "TS3*1234567893*11*20261231*40*9120.5~"),
        ("npi", "444-E9 1234567893"),
        ("npi", "He writes his NPI like a phone number, 123-456-7893, every time."),
        ("ssn", "we need ur social for payroll --- ok its 512-44-9087"),
        ("ssn", "Claimant SSN for Medicare reporting: 512-44-9087; MBI to follow"),
        ("ssn", "Caller gives social as 5 1 2, 4 4, 9 0 8 7."),
        ("ssn", "socail securty nummber 512-44-9087"),
    ],
)
def test_identifiers_of_people(kind: str, text: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    ("kind", "subject", "text"),
    [
        ("ssn", "ssn for the certificate", "Please use 512 44 9087."),
        ("npi", "my npi", "hi its 1234567893, let me know"),
        ("dea", "DEA lookup bounced", "Searched AB1234563: it is retired."),
        ("icd10", "Diagnosis code needed", "it's S01.321"),
    ],
)
def test_a_label_in_the_subject_names_the_number(kind: str, subject: str, text: str) -> None:
    assert kind in kinds(text, subject)
    assert kind not in kinds(text, "hello")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("mbi", "The captcha said 1EG4TE5MK73 and I still failed."),
        ("mbi", "Use 1EG4-TE5-MK73 at checkout for free gift wrap."),
        ("mbi", "code;discount\n1EG4TE5MK73;10"),
        ("mbi", "Hospital wheelchair tags 1EG4TE5MK73: brakes fixed."),
        ("icd10", "Staff from the hospital may park in Z79 and Z51."),
        ("icd10", "Font M54.5 by Ann Example"),
        ("icd10", "Hi Ann Example, the blend K21.9 tastes best."),
        ("card", "SIP 4111111111111111@meet.example, dial from the room unit."),
        ("card", "4111111111111111 tote empty, bring it back to the warehouse"),
        ("npi", "Conference hotel confirmation for Dr. Example: 1234567893, two nights"),
        ("dea", "Router S/N AB1234563, guest wifi down."),
    ],
)
def test_things_are_none(kind: str, text: str) -> None:
    assert kind not in kinds(text)
