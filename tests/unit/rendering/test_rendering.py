"""Templates: escaped, limited, and never quoting what a message says."""

import asyncio
import json

import pytest

from carepost.ground.errors import Unavailable
from carepost.rendering import once
from carepost.rendering.frames import Compile, Render
from carepost.rendering.liquid import Workbench
from carepost.rendering.once import TemplateFault
from carepost.rendering.plain import text_of
from carepost.rendering.pool import Renderer
from carepost.rendering.types import Compiled, Fault, Rendered, Source

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name }},</mj-text>"
    "<mj-raw>{% if visits < 2 %}</mj-raw><mj-text>Welcome.</mj-text><mj-raw>{% endif %}</mj-raw>"
    '<mj-button href="{{ link }}">See it</mj-button></mj-column></mj-section></mj-body></mjml>'
)


def _compiled(source: Source) -> Compiled:
    made = Workbench().do(Compile(source))
    assert isinstance(made, Compiled), made
    return made


def _rendered(source: Source, **variables: object) -> Rendered | Fault:
    made = _compiled(source)
    found = Workbench().do(Render(made.digest, made, json.dumps(variables).encode()))
    assert not isinstance(found, Compiled)
    return found


@pytest.mark.fast
def test_mjml_becomes_html_and_a_text_part_and_liquid_may_compare() -> None:
    made = _compiled(Source("Hello {{ name }}", MJML, mjml=True))
    assert made.variables == ("link", "name", "visits")
    assert "googleapis" not in made.html and "<mj-" not in made.html
    found = _rendered(
        Source("Hello {{ name }}", MJML, mjml=True), name="Ann", visits=1, link="https://clinic.example/a"
    )
    assert isinstance(found, Rendered)
    assert found.subject == "Hello Ann" and "Welcome." in found.html
    assert "Dear Ann," in found.text and "See it (https://clinic.example/a)" in found.text


SECTION = "<mj-section><mj-column><mj-text>hi</mj-text></mj-column></mj-section>"
BOMB = '<!DOCTYPE mjml [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>', "nothing can be included"),
        ('<mjml><mj-body><MJ-INCLUDE path="x.mjml"/></mj-body></mjml>', "nothing can be included"),
        (f"<mjml><mj-body>{SECTION}<mj-sectoin>x</mj-sectoin></mj-body></mjml>", "there is no <mj-sectoin>"),
        (f"<mjml><mj-body>{SECTION * 2_000}</mj-body></mjml>", "more than 1 MB of HTML"),
        (f"<mjml><mj-body>{SECTION * 70_000}</mj-body></mjml>", "longer than 512 KB"),
        (f"{BOMB}<mjml><mj-body>&b;&x;</mj-body></mjml>", "unexpected token"),
        (f"<mjml><mj-body>{'<mj-section>' * 10_000}{'</mj-section>' * 10_000}</mj-body></mjml>", "nested too deeply"),
        (f"<mjml><mj-body><mj-raw>{'<b>' * 40_000}{'</b>' * 40_000}</mj-raw></mj-body></mjml>", "nested too deeply"),
    ],
    ids=["include", "include-capitals", "unknown", "long-html", "long", "entities", "deep", "deep-raw"],
)
def test_hostile_mjml_is_refused_by_its_worker_in_words(source: str, words: str) -> None:
    """A real worker each: one that dies of it takes nothing along."""
    with pytest.raises(TemplateFault) as refused:
        once.compile_(Source("Visit", source, mjml=True))
    assert words in refused.value.public and "root:" not in refused.value.public


@pytest.mark.fast
def test_what_mjml_knows_in_its_head_is_no_unknown_element() -> None:
    head = (
        '<mj-title>t</mj-title><mj-preview>p</mj-preview><mj-style>.a{}</mj-style><mj-breakpoint width="300px"/>'
        '<mj-attributes><mj-all color="red"/><mj-class name="c" color="red"/></mj-attributes>'
        '<mj-font name="x" href="https://x.test/x.css"/>'
    )
    made = _compiled(Source("S", f"<mjml><mj-head>{head}</mj-head><mj-body>{SECTION}</mj-body></mjml>", mjml=True))
    assert "hi" in made.html


@pytest.mark.fast
def test_html_is_escaped_by_default_and_text_is_not() -> None:
    found = _rendered(Source("About {{ a }}", "<p>{{ a }}</p>"), a="<script>x</script> & Co")
    assert isinstance(found, Rendered)
    assert "<script>" not in found.html and "&lt;script&gt;" in found.html
    assert found.subject == "About <script>x</script> & Co" and "<script>x</script> & Co" in found.text


@pytest.mark.fast
def test_bi_043_a_variable_cannot_add_a_header_line() -> None:
    found = _rendered(Source("Visit {{ a }}", text="x"), a="on Monday\r\nBcc: mallory@evil.test")
    assert isinstance(found, Rendered)
    assert found.subject == "Visit on Monday Bcc: mallory@evil.test"


@pytest.mark.fast
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{{ secretword }}", "variable"),
        ("{{ a.__class__ }}", "variable"),
        ("{% for i in (1..100000000) %}x{% endfor %}", "limit"),
        ("{% assign x = a %}{% for i in (1..60) %}{% assign x = x | append: x %}{% endfor %}{{ x }}", "limit"),
        ("{% for i in (1..9000) %}{{ a }}{{ a }}{{ a }}{{ a }}{% endfor %}", "limit"),
        ("{{ a | divided_by: 0 }}", "variable"),
    ],
    ids=["missing", "dunder", "loop", "doubling", "output", "value"],
)
def test_what_a_template_may_not_do(text: str, code: str) -> None:
    found = _rendered(Source("s", text=text), a="Zebulon Quist, " * 10)
    assert isinstance(found, Fault) and found.code == code
    assert found.part == "text" and "Zebulon" not in found.words


@pytest.mark.fast
@pytest.mark.parametrize(
    "source",
    [
        Source("", text="x"), Source("s"), Source("{{ a", text="x"), Source("s", text="{% if %}"),
        Source("s", text="{{ a | nofilter }}"), Source("s", text='{% include "x" %}'),
        Source("s", text='{% render "x" %}'), Source("s", "<mjml><p>", mjml=True), Source("s", "no mjml", mjml=True),
        Source("s", text="x" * 600_000),
    ],
    ids=["subject", "empty", "open", "if", "filter", "include", "render", "mjml", "none", "long"],
)  # fmt: skip
def test_what_cannot_be_saved_says_why(source: Source) -> None:
    found = Workbench().do(Compile(source))
    assert isinstance(found, Fault) and found.code == "template" and found.words.endswith((".", "it"))


@pytest.mark.fast
def test_the_text_part_reads_as_a_person_would_write_it() -> None:
    html = (
        "<html><head><title>no</title><style>p{}</style></head><body><!-- no --><h1>Your visit</h1>"
        '<p>Dear {{ name }},<br>come  in.</p><ul><li>One</li><li>Two</li></ul><a href="#x">up</a>'
        '<img alt="Map" src="x"><a href="mailto:a@clinic.test">a@clinic.test</a></body></html>'
    )
    assert text_of(html) == "Your visit\n\nDear {{ name }},\ncome in.\n\n- One\n- Two\nupMapa@clinic.test\n"


def test_the_office_asks_a_worker_of_its_own() -> None:
    made = once.compile_(Source("Hello {{ name }}", MJML, mjml=True))
    found = once.render(made, b'{"name": "Ann", "visits": 3, "link": "x"}')
    assert found.subject == "Hello Ann" and "Welcome." not in found.html
    with pytest.raises(once.TemplateFault, match="nested too deeply"):
        # this ends the parser's process, and no other
        once.compile_(Source("s", "<mjml><mj-body>" + "<mj-section>" * 20_000, mjml=True))


async def test_the_engine_keeps_a_worker_and_outlives_what_kills_it() -> None:
    renderer = Renderer(seconds=20.0)
    made = _compiled(Source("Hello {{ name }}", text="{{ name }}"))
    greedy = _compiled(Source("s", text="{{ a | upcase | size }}"))
    try:
        found = await asyncio.gather(*(renderer.render(made, made.digest, b'{"name": "P%d"}' % n) for n in range(50)))
        assert [one.subject for one in found if isinstance(one, Rendered)] == [f"Hello P{n}" for n in range(50)]
        first = renderer.pid
        big = json.dumps({"a": "a" * 60_000}).encode()
        bomb = _compiled(Source("s", text='{{ a | replace: "a", a }}'))
        killed = await renderer.render(bomb, bomb.digest, big)
        assert isinstance(killed, Fault) and killed.code == "limit"
        sized = await renderer.render(greedy, greedy.digest, big)
        assert isinstance(sized, Rendered) and sized.text == "60000"
        again = await renderer.render(made, made.digest, b'{"name": "Ann"}')
        assert isinstance(again, Rendered) and first is not None
        too_long = await renderer.render(made, made.digest, b'{"name": "' + b"x" * 70_000 + b'"}')
        assert isinstance(too_long, Fault) and too_long.code == "variable"
    finally:
        await renderer.close()
    assert renderer.pid is None


async def test_a_template_that_overran_is_not_run_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(seconds=0.0)
    made = _compiled(Source("Hello", text="x"))
    try:
        first = await renderer.render(made, made.digest, b"{}")
        assert isinstance(first, Fault) and first.code == "too-slow" and renderer.pid is None
        second = await renderer.render(made, made.digest, b"{}")
        assert isinstance(second, Fault) and second.code == "too-slow" and renderer.pid is None
    finally:
        await renderer.close()


async def test_no_worker_is_unavailable_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carepost.rendering.start.command", lambda: ["/bin/false"])
    renderer = Renderer()
    made = _compiled(Source("Hello", text="x"))
    with pytest.raises(Unavailable):
        await renderer.render(made, made.digest, b"{}")
    with pytest.raises(Unavailable):
        once.compile_(Source("Hello", text="x"))
    await renderer.close()
