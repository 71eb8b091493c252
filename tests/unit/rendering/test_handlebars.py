"""Handlebars said in Liquid: the same comes out, and what cannot be said is refused in words."""

import json
from typing import Any

import pytest

from carepost.rendering.frames import Compile, Render
from carepost.rendering.handlebars import translate
from carepost.rendering.liquid import Workbench
from carepost.rendering.once import TemplateFault
from carepost.rendering.types import Compiled, Fault, Rendered, Source

pytestmark = pytest.mark.fast


def made(text: str, values: dict[str, Any], part: str = "html") -> str | Fault:
    bench = Workbench()
    compiled = bench.do(Compile(Source("s", translate(text, part), "x")))
    assert isinstance(compiled, Compiled), compiled
    found = bench.do(Render(compiled.digest, compiled, json.dumps(values).encode()))
    return found.html if isinstance(found, Rendered) else found  # type: ignore[return-value]


ITEMS = {"title": "T", "items": [{"n": "a", "subs": [1, 2]}, {"n": "b<", "subs": []}]}
SAME: dict[str, tuple[str, dict[str, Any], str]] = {
    "name": ("Hi {{ name }}", {"name": "A<b>"}, "Hi A&lt;b&gt;"),
    "raw": ("{{{name}}} {{& name}}", {"name": "<b>"}, "<b> <b>"),
    "deep": (
        "{{user.first_name}} {{list.[0].a}}{{list.0.a}}",
        {"user": {"first_name": "J"}, "list": [{"a": 1}]},
        "J 11",
    ),
    "if": ("{{#if a}}y{{else}}n{{/if}}", {"a": "x"}, "y"),
    "if-missing": ("{{#if a.b}}y{{else}}n{{/if}}", {}, "n"),
    "if-zero": ("{{#if a}}y{{else}}n{{/if}}", {"a": 0}, "n"),
    "if-empty": ("{{#if a}}y{{else}}n{{/if}}{{#if b}}y{{else}}n{{/if}}", {"a": "", "b": []}, "nn"),
    "else-if": ("{{#if a}}1{{else if b}}2{{else if c}}3{{else}}4{{/if}}!", {"c": True}, "3!"),
    "else-last": ("{{#if a}}1{{else if b}}2{{else}}4{{/if}}!", {}, "4!"),
    "unless": ("{{#unless a}}y{{else}}n{{/unless}}", {"a": 0}, "y"),
    "each": ("{{#each items}}{{n}}{{../title}}{{@index}}{{#if @last}}.{{/if}}{{/each}}", ITEMS, "aT0b&lt;T1."),
    "each-root": ("{{#each items}}{{@root.title}}{{this.n}}{{/each}}", ITEMS, "TaTb&lt;"),
    "each-each": ("{{#each items}}{{#each subs}}{{this}}{{../n}}{{else}}-{{/each}}{{/each}}", ITEMS, "1a2a-"),
    "each-none": ("{{#each items}}x{{else}}none{{/each}}", {}, "none"),
    "insert": ('{{insert name "default=you & me"}}{{insert "name" "default=x"}}', {}, "you & mex"),
    "insert-given": ("{{insert name 'default=you'}}", {"name": "Jo"}, "Jo"),
    "equals": ('{{#equals a "x"}}y{{else}}n{{/equals}}{{#notEquals a b}}y{{/notEquals}}', {"a": "x"}, "yy"),
    "numbers": ("{{#greaterThan a 3}}g{{/greaterThan}}{{#lessThan a 9.5}}l{{/lessThan}}", {"a": 4}, "gl"),
    "and": ("{{#and a b}}y{{else}}n{{/and}}{{#or a b}}y{{else}}n{{/or}}", {"a": 1, "b": 0}, "ny"),
    "or": ("{{#or a b}}y{{else}}n{{/or}}{{#or a c}}y{{/or}}", {"a": 0, "c": "z"}, "ny"),
    "comments": ("a{{! x }}{{!-- {{b}} --}}c", {}, "ac"),
    "space": ("a {{~name~}} b", {"name": "N"}, "aNb"),
    "not-liquid": ("{% if %} { {{!x}}% x %} 5 %}", {}, "{% if %} { % x %} 5 %}"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_comes_out(name: str) -> None:
    text, values, expected = SAME[name]
    assert made(text, values) == expected


def test_a_missing_name_refuses_the_message() -> None:
    found = made("Dear {{name}}", {})
    assert isinstance(found, Fault) and "`name` is missing" in found.words


def test_what_is_raw_in_the_subject_is_no_filter_there() -> None:
    assert translate("{{{name}}}", "subject") == "{{ name }}"


REFUSED = {
    "helper": ("{{formatDate day 'MM'}}", "formatDate"), "with": ("{{#with a}}{{/with}}", "with"),
    "partial": ("{{> head}}", "Partials"), "inverse": ("{{^a}}", "Partials"), "open": ("{{#if a}}x", "/if"),
    "closed": ("x{{/if}}", "closes"), "crossed": ("{{#if a}}{{#each b}}{{/if}}{{/each}}", "closes"),
    "else": ("{{else}}", "no block"), "twice": ("{{#if a}}{{else}}{{else}}{{/if}}", "two"), "half": ("a {{ b", "never"),
    "empty": ("{{ }}", "Nothing"), "this": ("{{this}}", "each"), "up": ("{{../a}}", "leads out"),
    "index": ("{{@index}}", "each"), "key": ("{{@key}}", "name"), "taken": ("{{empty}}", "rename"),
    "escaped": ("\\{{a}}", "escaped"), "if-two": ("{{#if a b}}{{/if}}", "one name"),
    "insert": ('{{insert a "b"}}', "default="), "quotes": ("{{insert a \"default=it\\'s\"}}", "backslash"),
    "else-each": ("{{#each a}}{{else if b}}{{/each}}", "Close"),
    "deep": ("{{#if a}}" * 60 + "{{/if}}" * 60, "deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said_is_refused(name: str) -> None:
    text, said = REFUSED[name]
    with pytest.raises(TemplateFault) as refused:
        translate("first\n" + text, "html")
    assert said in refused.value.fault.words and refused.value.fault.part == "html"
    assert refused.value.fault.line == 2
