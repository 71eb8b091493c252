"""Text dressed so that a machine stumbles is read a second time (BI-063, BI-064), plain text is not."""

import pytest

from carepost.phi import disguise
from carepost.phi.inspect import inspect
from carepost.phi.types import Level, Part, Where

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Y o u r   b i o p s y   w a s   c l e a r .", "Your biopsy was clear"),
        ("N-a-d-i-a T-h-o-r-n has h-e-p-a-t-i-t-i-s", "Nadia Thorn hepatitis"),
        ("y0ur r3f1ll 1s r34dy, p1ck 1t up", "your refill is ready, pick it up"),
        ("Keep t*king the st*roids", "Keep taking the steroids"),
        ("ur preg\nnancy te\nst = posi\ntive", "ur pregnancy test = positive"),
        ("nosliW nalA", "Wilson Alan"),
        ("now: 💉 and 💊", "syringe pill"),
        ("=?utf-8?q?Patient_Ann=3A_stroke?=", "Patient Ann: stroke"),
        ("Social four one nine, then fifty two, then eight eight oh three", "Social 419528803"),
        ("TheyFoundBowelCancer", "They Found Bowel Cancer"),
        ("yourmammogramisonfriday", "your mammogram is on friday"),
    ],
    ids=[
        "spaced",
        "dashed",
        "digits",
        "stars",
        "narrow",
        "backwards",
        "pictures",
        "encoded",
        "numbers",
        "humps",
        "glued",
    ],
)
def test_a_second_reading(text: str, reading: str) -> None:
    assert reading in disguise.plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ann, your T2DM visit is on March 3rd at 9:30; A1c was 7.2, copay $40. Call 555-0100 (ext. 4).",
        "a - b - c, points 1 to 4, room E10, K9 unit, MP3 file, https://clinic.example/a-b-c-d-e-f?x=1",
        "Dear Maria,\n\nplease come at nine o'clock on Monday morning.\n\nRegards,\nAnn\n",
        "",
    ],
    ids=["letter", "codes", "short lines", "nothing"],
)
def test_plain_text_has_no_second_reading(text: str) -> None:
    assert disguise.plain(text) == ""


def test_what_a_disguise_hides_is_found() -> None:
    spaced = "Y o u r   b i o p s y   r e s u l t s   a r e   b a c k .   I t   i s   b e n i g n ."
    assert inspect([Part(Where.TEXT, spaced)]).level_individual >= Level.PHI_LIKELY
    spelt = "Social security number four one nine, then fifty two, then eight eight oh three, diagnosis of asthma"
    assert inspect([Part(Where.TEXT, spelt)]).level is Level.PHI_HIGH


def test_a_second_reading_is_bounded() -> None:
    for hostile in ("a " * 50_000, "a*" * 50_000, "aB" * 50_000, "a\n" * 50_000, "one " * 50_000, "x" * 100_000):
        assert len(disguise.plain(hostile)) < 3 * 20_000 + 1000
