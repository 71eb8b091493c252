"""The pattern language of organisations: what it finds, and what it refuses with which sentence."""

import pytest

from carepost.ground.errors import ConfigError
from carepost.phi.fold import fold
from carepost.phi.pattern import WAYS, compile_pattern, ways

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"HX-\d{6}", "see HX-123456 now", True),
        (r"HX-\d{6}", "see hx-123456 now", True),
        (r"HX-\d{6}", "see HX-1234567 now", False),
        (r"HX-\d{6}", "see AHX-123456", False),
        (r"[A-C]{2}\d{2,4}", "AC12", True),
        (r"[A-C]{2}\d{2,4}", "AD12", False),
        (r"(foo|bar){1,2}\d", "foobar7", True),
        (r"file[ -]?\d{3}", "File 123", True),
        (r"a\.b", "a.b", True),
        (r"a\.b", "axb", False),
        (r"[^0-9]\d\d", "x12", True),
        (r"[]x]\d", "]1", True),
        (r"[\d-]{3,5}x", "1-2x", True),
        (r"(?:ab|cd)ef", "cdef", True),
        (r"a.c", "abc", True),
        (r"\w{3}\s\d", "abc 1", True),
        # as people copy it out of a document: it is folded as the text is
        (r"HX–\d{6}", "HX-123456", True),
        (r"HX–\d{6}", "HX–123456", True),
        (r"Ré-\d{3}", "ré-123", True),
        ("Re\u0301-\\d{3}", "Ré-123", True),
        (r"№?\d{4}", "№1234", True),
        (r"№ \d{4}", "№ 1234", True),
        (r"“q”\d\d", '"q"12', True),
        (r"[–/]7\d", "−71", True),
        (r"\–7\d", "–71", True),
        ("HX\u200b-\\d{3}", "HX-123", True),
        (r"Ré-\d{3}", "Ra-123", False),
    ],
)
def test_what_it_finds(pattern: str, text: str, found: bool) -> None:
    assert bool(compile_pattern("mine", pattern).search(fold(text))) is found


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"\d+", "has no upper limit: write a number of times"),
        (r"a*b", "has no upper limit"),
        (r"\d{3,}", "write {3,20}"),
        (r"(a{0,3}){0,20}b", "too many ways"),
        (r"(a|a){0,30}b", "too many ways"),
        (r"\d{1,20}\d{1,20}x", "too many ways"),
        (r"\w{119}\w{119}", "more than 120 characters"),
        (r"x{500}", "too long"),
        (r"^abc", "not needed"),
        (r"(?=a)b", "'(?'"),
        (r"(?P<n>ab)", "'(?'"),
        (r"(a)\1b", "not offered"),
        (r"(ab", "has no ')'"),
        (r"ab)", "has no '('"),
        (r"[ab", "ends too early"),
        (r"ab\\"[:3], "ends too early"),
        (r"a{2}{3}", "follows another"),
        (r"a{3,2}", "below its lower"),
        (r"a{x}b", "number of times"),
        (r"[z-a]b", "backwards"),
        (r"[Z-А]b", "backwards"),
        (r"[a-№]b", "backwards"),
        (r"a?", "almost anything"),
        (r"((((((ab))))))", "five deep"),
        ("", "1 to 300"),
        ("a" * 301, "1 to 300"),
    ],
)
def test_what_it_refuses_and_how(pattern: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_pattern("mine", pattern)
    assert says in refused.value.public
    assert refused.value.public.startswith("Pattern 'mine'")


def test_the_ways_are_limited() -> None:
    assert ways("mine", rf"\d{{1,{WAYS // 10}}}[a-z]{{1,10}}") == WAYS
    with pytest.raises(ConfigError):
        compile_pattern("mine", rf"\d{{1,{WAYS // 10 + 1}}}[a-z]{{1,10}}")
