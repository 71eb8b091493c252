"""No value that was found is in a finding, an explanation, an error or the text of an exception (law 10)."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepost.ground.errors import ConfigError
from carepost.phi import reasons
from carepost.phi.custom import check
from carepost.phi.explain import explain
from carepost.phi.inspect import inspect
from carepost.phi.types import Custom, Part, Pattern, Where, Word

pytestmark = pytest.mark.fast

_DIGITS = st.integers(100_000_000, 899_999_999).map(str)
_NAMES = st.sampled_from(["Jovana Fakeworthy", "Jane Sampleton", "Omar Fabricant"])
_DRUGS = st.sampled_from(["metformin", "tamoxifen", "sertraline", "quetiapine"])
_ILLNESSES = st.sampled_from(["epilepsy", "breast cancer", "hepatitis", "schizophrenia"])
_WHERE = st.sampled_from([Where.SUBJECT, Where.TEXT, Where.HTML, Where.NAME, Where.DOCUMENT, Where.FIELD])


@given(_DIGITS, _NAMES, _DRUGS, _ILLNESSES, _WHERE, st.integers(1, 12), st.integers(1, 28), st.integers(1920, 2020))
def test_no_value_is_in_what_leaves(
    digits: str, name: str, drug: str, illness: str, where: Where, month: int, day: int, year: int
) -> None:
    ssn = f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"
    dob = f"{month:02}/{day:02}/{year}"
    text = (
        f"Patient {name}, SSN {ssn}, MRN {digits}, DOB {dob}, 12 Willow Street, Mockville, CA 90210,"
        f" phone 555-555-{digits[:4]}, pat@mailbox.example, was diagnosed with {illness},"
        f" takes {drug} 40 mg, A1c 8.4%, card 4111 1111 1111 1111."
    )
    found = inspect([Part(where, text, number=2)])
    assert found.identifiers >= 3
    leaving = " ".join((msgspec.json.encode(found).decode(), repr(found), *explain(found))).lower()
    for value in (
        digits,
        ssn,
        dob,
        *name.split(),
        illness,
        drug,
        "willow",
        "90210",
        "mailbox",
        "8.4",
        "4111",
        digits[5:],
    ):
        assert value.lower() not in leaving


@given(st.text(min_size=1, max_size=60))
def test_no_text_is_in_what_leaves(text: str) -> None:
    """Whatever the text, findings are made of our own words, counts and ICD-10-CM codes."""
    for finding in inspect([Part(Where.TEXT, f"SSN 512-44-9087 {text}")]).found:
        assert re.fullmatch(r"[a-z0-9-]+", finding.kind)
        assert re.fullmatch(r"[A-Z]\d[0-9A-Z.]*|", finding.term)
        if finding.kind == "note-of-care":
            assert set(finding.near.split(", ")) <= set(reasons.REASONS)
        else:
            assert finding.near == "" or finding.near in _LABELS


_LABELS = {
    *(
        "SSN",
        "Medicare",
        "member ID",
        "MRN",
        "DOB",
        "driver licence",
        "passport",
        "ITIN",
        "NPI",
        "DEA",
        "card",
        "account",
    ),
    *("phone", "diagnosis", "procedure code", "NDC", "name", "medication", "its title", "PID", "record number"),
}


@pytest.mark.parametrize("own", [Custom(words=(Word("w", "\u200b"),)), Custom(patterns=(Pattern("p", "5124490[87"),))])
def test_no_value_is_in_a_refusal(own: Custom) -> None:
    with pytest.raises(ConfigError) as refused:
        check(own)
    assert "5124490" not in refused.value.public + refused.value.detail
