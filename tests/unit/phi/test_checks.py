"""Check digits and issuing rules, against published examples."""

import pytest

from carepost.phi import checks

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("512449087", True),
        ("000449087", False),
        ("666449087", False),
        ("912449087", False),
        ("512009087", False),
        ("512440000", False),
        ("078051120", False),
        ("111111111", False),
        ("51244908", False),
    ],
)
def test_ssn(number: str, good: bool) -> None:
    assert checks.ssn(number) is good


@pytest.mark.parametrize(("number", "good"), [("1234567893", True), ("1234567890", False), ("3234567893", False)])
def test_npi_with_the_prefix_80840(number: str, good: bool) -> None:
    assert checks.npi(number) is good


@pytest.mark.parametrize(("number", "good"), [("AB1234563", True), ("AB1234564", False)])
def test_dea(number: str, good: bool) -> None:
    assert checks.dea(number) is good


@pytest.mark.parametrize(
    ("text", "good"), [("1EG4TE5MK73", True), ("1EG4TE5MK7", False), ("1SG4TE5MK73", False), ("0EG4TE5MK73", False)]
)
def test_mbi(text: str, good: bool) -> None:
    assert checks.mbi(text) is good


@pytest.mark.parametrize(
    ("digits", "good"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("378282246310005", True),
        ("5555555555554444", True),
        ("9999999999999995", False),
    ],
)
def test_card(digits: str, good: bool) -> None:
    assert checks.card(digits) is good


@pytest.mark.parametrize(("digits", "good"), [("912701234", True), ("912891234", False), ("812701234", False)])
def test_itin(digits: str, good: bool) -> None:
    assert checks.itin(digits) is good
