"""Slips of a typist in words of health are mended, other words are left alone."""

import time

import pytest

from carepost.phi import typos
from carepost.phi.inspect import inspect
from carepost.phi.level import level
from carepost.phi.types import Level, Part, Recipient, Where

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("atorvastain", "atorvastatin"),
        ("apointment", "appointment"),
        ("cholestrol", "cholesterol"),
        ("thyriod", "thyroid"),
        ("diabtes", "diabetes"),
        ("perscriptoin", ""),
    ],
)
def test_one_slip_is_mended_and_two_are_not(written: str, meant: str) -> None:
    assert typos.mended(f"about {written} we wrote") == (f"about {meant} we wrote" if meant else "")


@pytest.mark.parametrize(
    "text",
    [
        "The Kowalczyk agreement with Vandersham, and the committee in Springhollow.",
        "diabetes, appointment and cholesterol are spelt as they should be",
        "",
    ],
)
def test_names_and_right_words_are_left_alone(text: str) -> None:
    assert typos.mended(text) == ""


def test_of_a_long_text_only_the_paragraphs_concerned_are_read_again() -> None:
    filler = "The committee met about the parking lot.\n\n" * 100
    assert typos.mended(f"{filler}Your diabtes visit\n\n{filler}") == "Your diabetes visit"


def test_a_letter_full_of_slips_is_a_letter_about_care() -> None:
    text = "Your apointment about the diabtes and your cholestrol is tomorrow. Bring the atorvastain."
    assert level(inspect([Part(Where.TEXT, text)]), Recipient("pat@mailbox.example")) >= Level.PHI_LIKELY


def test_a_text_of_strange_words_costs_no_more_than_a_few_hundred_of_them() -> None:
    alphabet = "bcdfghjklmnp"
    words = [f"q{a}{b}{c}zx{d}" for a in alphabet for b in alphabet for c in alphabet for d in alphabet]
    typos.mended("a first reading loads the lists")
    began = time.process_time()
    assert typos.mended(" ".join(words)) == ""
    assert time.process_time() - began < 1
