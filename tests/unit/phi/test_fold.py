"""One way to write each letter, digit, dash and space. BI-063, BI-064."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepost.phi.fold import fold, look, unstuck

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("5\u200b12\u00ad-44\u2060-9\ufeff087", "512-44-9087"),
        ("５１２－４４－９０８７", "512-44-9087"),
        ("512\u201144\u20139087", "512-44-9087"),
        ("٥١٢-٤٤-٩٠٨٧", "512-44-9087"),
        ("Раtіеnt", "Patient"),
        ("Αѕthmа", "Asthma"),
        ("𝐚𝐬𝐭𝐡𝐦𝐚", "asthma"),
        ("diagnóstico médico", "diagnostico medico"),
        ("a\u0301b", "ab"),
        ("blood \u00a0  pressure", "blood pressure"),
        ("blood \t pressure", "blood\tpressure"),
        ("one\r\ntwo\rthree\n\n\n\nfour", "one\ntwo\nthree\n\nfour"),
        ("\u202eabc\u202c", "abc"),
    ],
)
def test_bi_063_064_what_looks_the_same_is_the_same(written: str, read: str) -> None:
    assert fold(written) == read


@given(st.text(max_size=300))
def test_places_agree_in_all_three_forms_and_nothing_grows(text: str) -> None:
    ready = look(text)
    assert len(ready.text) == len(ready.low) == len(ready.flat)
    assert len(ready.text) <= 3 * len(text)


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing_that_is_compared(text: str) -> None:
    once = fold(text)
    assert not any(unicodedata.category(c) in ("Cf", "Mn") for c in once)
    assert len(fold(once)) <= len(once)


def test_every_digit_lies_in_a_numbered_stretch() -> None:
    text = "a" * 500 + "1" + "b" * 900 + "22" + "c" * 10
    covered = [text[begin:end] for begin, end in look(text).numbers]
    assert sum(piece.count("1") + piece.count("2") for piece in covered) == 3
    assert len(covered) == 2


def test_lines_that_a_long_text_says_again_and_again_are_read_three_times_and_keep_their_numbers() -> None:
    row = "Dear patient, your results of the visit are ready."
    text = look("\n".join([*[row] * 100, "and now something else"]))
    assert text.text.count(row) == 3
    assert text.text.count("\n") == 100
    assert text.text.endswith("\nand now something else")
    assert len(text.text) == len(text.low) == len(text.flat)


def test_different_lines_and_short_texts_are_read_whole() -> None:
    rows = [f"Row {number} of the list of visits" for number in range(100)]
    assert look("\n".join(rows)).text == "\n".join(rows)
    assert look("\n".join([rows[0]] * 20)).text == "\n".join([rows[0]] * 20)


def test_a_label_is_parted_from_its_number_and_a_word_is_not() -> None:
    assert unstuck("SSN474-67-7040, covid19, A1c7, xssn12") == "SSN 474-67-7040, covid19, A1c7, xssn12"


@given(st.text(alphabet="0123456789 -.aZ\n", max_size=120))
def test_a_number_of_nine_digits_begins_only_where_as_many_follow_close_to_each_other(text: str) -> None:
    ready = look(text)
    shaped = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){8}")
    begins = {found.start() for found in re.finditer(r"(?<![0-9])[0-9]", ready.text)}
    assert set(ready.many) == {start for start in begins if shaped.match(ready.text, start)}
    assert ready.starts == sorted(begins)
    assert set(ready.of(1, 1)) == {found.start() for found in re.finditer(r"(?<![0-9])[0-9](?![0-9])", ready.text)}
    assert all(ready.text[start - 1].isalpha() for start in ready.lettered)
