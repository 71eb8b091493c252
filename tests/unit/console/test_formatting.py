"""Light formatting: what is seen, the same in plain text, and that nothing in it can run or load (BI-062)."""

import pytest

from carepost.console import formatting

pytestmark = pytest.mark.fast

LETTER = """# Your visit

Dear **Jane**, see *the plan* at [our page](https://maple.test/plan) or <desk@maple.test>.
Second line.

- no food
- no drink
  but water

1. come
2. sit

   and wait
> quoted
>
> more

    as it stands

---
end"""

PLAIN = """Your visit

Dear Jane, see the plan at our page (https://maple.test/plan) or desk@maple.test.
Second line.

- no food
- no drink
  but water

1. come
2. sit
   and wait

> quoted
>
> more

as it stands

--------------------

end
"""


def test_the_text_part_says_the_same_without_marks() -> None:
    assert formatting.plain(LETTER) == PLAIN


def test_the_page_has_what_was_meant() -> None:
    made = formatting.page(LETTER)
    assert made.startswith("<!doctype html>") and made.endswith("</body></html>\n")
    for part in (
        "<h3>Your visit</h3>", "<strong>Jane</strong>", "<em>the plan</em>", '<a href="https://maple.test/plan"',
        "<li>no food</li>", "<ol>", "<blockquote>", "<hr>", "water</li>", "desk@maple.test</a>.<br>",
    ):  # fmt: skip
        assert part in made, part


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![p](https://evil.test/p.png)",
        "<img src=https://evil.test/p.png onerror=alert(1)>",
        "[x](vbscript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        '[x](https://a.test/"onmouseover="alert(1))',
        "<iframe src=//evil.test></iframe>",
        "<style>@import url(//evil.test)</style>",
    ],
    ids=range(10),
)
def test_nothing_runs_or_loads(typed: str) -> None:
    made = formatting.shown(typed)
    for bad in ("<script", "<img", "<iframe", "<style", 'href="javascript', 'href="data', 'href="vbscript', "<a onm"):
        assert bad not in made
    assert ' onmouseover="' not in made


@pytest.mark.parametrize("typed", ["", "\n\n", " "])
def test_nothing_is_nothing(typed: str) -> None:
    assert formatting.plain(typed) == "" and formatting.shown(typed) == ""


@pytest.mark.parametrize("typed", ["a" * 50_001, "[" * 2_001], ids=["long", "brackets"])
def test_what_would_be_read_for_long_is_known_before(typed: str) -> None:
    assert formatting.too_much(typed) and not formatting.too_much(typed[:-1])
