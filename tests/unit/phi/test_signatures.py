"""Who signs for an office says nothing of the reader's care."""

from carepost.phi.inspect import inspect
from carepost.phi.level import level
from carepost.phi.types import Level, Part, Recipient, Where

_SIGNED = (
    "\n\nRegards,\nAda Underhill\nReferral Coordinator, Willow Bend Dialysis\n(652) 555-0154\n\nSent from my phone"
)
_TO = Recipient("intake@partner.example")


def _level(text: str) -> Level:
    return level(inspect([Part(Where.TEXT, text)]), _TO)


def test_a_signature_of_a_clinic_makes_no_note_of_care() -> None:
    text = "Fridge model D16.32, dishwasher A74.9. Both fit. Install on 05/03/2026."
    assert _level(text + _SIGNED) < Level.PHI_LIKELY


def test_what_stands_before_and_after_a_signature_still_counts() -> None:
    told = "Patient Ruth Abernathy, DOB 03/14/1961, SSN 512-44-9087, was diagnosed with type 2 diabetes."
    assert _level(told + _SIGNED) >= Level.PHI_LIKELY
    assert _level("See below." + _SIGNED + "\n\n" + told) >= Level.PHI_LIKELY
    # not a signature: digits of a person stand in it
    assert _level(f"See below.\n\nRegards,\nAda Underhill\n{told}\n(652) 555-0154") >= Level.PHI_LIKELY


def test_a_signature_needs_an_office_and_a_telephone() -> None:
    from_a_patient = "Hi, my chemotherapy is on Friday.\n\nThanks,\nRuth Abernathy\n(652) 555-0154"
    names = {found.kind for found in inspect([Part(Where.TEXT, from_a_patient)]).found}
    assert "phone" in names
