"""HTML as a reader sees it, and what a reader does not see. BI-062, BI-064."""

import base64

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carepost.phi import render as rendering
from carepost.phi.fold import fold
from carepost.phi.render import decoded, render

pytestmark = pytest.mark.fast


def data(text: str, kind: str = "text/plain") -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<b>512</b>-<i>44</i>-9087", "512-44-9087"),
        ("512<!-- c -->-44-9087", "512-44-9087"),
        ("51<wbr>2-44-<span style='font-size:0'></span>9087", "512-44-9087"),
        ("&#53;12-44-9087&nbsp;x", "512-44-9087 x"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<table><tr><th>MRN</th><th>DOB</th></tr><tr><td>1</td><td>2</td></tr></table>", "MRN\tDOB"),
        ("<div style='display:none'>hidden</div>", "hidden"),
        ("<a title='x > y'>shown</a>", "shown"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<style>p{color:red}</style>shown", "shown"),
        ("<STYLE>p{}</style>shown", "shown"),
        ("unclosed <b and the rest", "unclosed <b and the rest"),
        ("<!-- never closed", "<!-- never closed"),
    ],
)
def test_bi_064_as_a_reader_sees_it(html: str, seen: str) -> None:
    assert seen in fold(render(html))


def test_style_is_not_text() -> None:
    assert "color" not in render("<style>p{color:red}</style>x")


@pytest.mark.parametrize(
    "html",
    [
        "<!-- marker -->x",
        "<!-- <p>mar<b>ker</b></p> -->x",
        "<img alt='marker'>x",
        "<input value=marker>",
        "<script>var a = 'marker'</script>",
        "<a href='https://x.test/?q=marker%20two'>x</a>",
        f"<a href='{data('marker')}'>x</a>",
        f"<iframe src='{data('<p>mar<b>ker</b></p>', 'text/html')}'></iframe>",
        f"<img src='{data('<svg><text>marker</text></svg>', 'image/svg+xml')}'>",
        "<a href='data:text/plain,marker'>x</a>",
        f"<a href='{data(data('marker'))}'>x</a>",
    ],
)
def test_bi_064_hidden_text_still_counts(html: str) -> None:
    assert "marker" in render(html)


def test_pictures_and_noise_are_not_decoded() -> None:
    assert decoded(data("\x00\x01\x02" * 60, "image/png")) == ""
    assert decoded("a" * 200) == ""
    assert "patient with asthma" in decoded(base64.b64encode(b"a note about a patient with asthma, on paper").decode())


@given(st.text(alphabet=st.sampled_from(list("<>/!-=\"' abpscript&#;:,")), max_size=200))
def test_never_raises_and_keeps_what_is_no_markup(html: str) -> None:
    assert isinstance(render(html), str)


_PIECES = (
    "<b>", "</b>", "<td>", "</TD>", '<p class="a">', "<p class='x>y'>", '<a href="http://x/?q=1&b=2">', "<style>",
    "</style>", "<script>a<b", "</script>", "<!--", "-->", " c<d ", "5", "Meter", "\n", "<", "</", ">", '"', "'", "=",
    '= "v"', "<o:p>", '<a b="""c>', "<input value=7>", "<title>t</title>", '<div style="a:b">', "</div>", "&amp;", "İ",
    '<td title="Ann">', "<td ='", '<td ">', "<td>\"='",
)  # fmt: skip


@settings(max_examples=300)
@example(["<a b"] * 2000)
@example(["<td ='"] * 2001)
@example(["<td>\"='"] * 2001)
@given(st.lists(st.sampled_from(_PIECES), max_size=40))
def test_tags_read_at_one_go_say_what_they_say_piece_by_piece(pieces: list[str]) -> None:
    page = "".join(pieces)
    at_one_go = render(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "_SHOWN", {})
        assert render(page) == at_one_go
