"""Liquid within limits, and MJML; runs in a worker only, and says nothing of a value in what it complains of."""

import re
import secrets
from collections import OrderedDict
from typing import Any, Final

import liquid
import mjml
import msgspec
from liquid import exceptions

from carepost.rendering.frames import Compile, Render
from carepost.rendering.plain import text_of
from carepost.rendering.types import MAX_OUTPUT, MAX_SOURCE, Compiled, Fault, Rendered, Source

_PARTS: Final = ("subject", "html", "text")
#: templates a worker keeps ready to run
_KEPT: Final = 64
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,80}")
_INCLUDES: Final = re.compile(r"<mj-include\b", re.IGNORECASE)
_NO_ELEMENT: Final = re.compile(r"<(mj-[a-z0-9-]{1,40})", re.IGNORECASE)
_LIQUID: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_BREAKS: Final = re.compile(r"[\r\n\t\u2028\u2029\x0b\x0c\x85]+")


class _Limited(liquid.Environment):
    context_depth_limit = 20
    loop_iteration_limit = 10_000
    local_namespace_limit = 1_000_000
    output_stream_limit = MAX_OUTPUT


#: no loader: a template reaches no other. HTML is escaped unless the template itself says `safe`
_HTML: Final = _Limited(autoescape=True, undefined=liquid.StrictDefaultUndefined)
_TEXT: Final = _Limited(autoescape=False, undefined=liquid.StrictDefaultUndefined)
_Ready = tuple[liquid.BoundTemplate, liquid.BoundTemplate, liquid.BoundTemplate]


class Workbench:
    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[Compiled, _Ready]] = OrderedDict()

    def do(self, job: Compile | Render) -> Compiled | Rendered | Fault:
        if isinstance(job, Compile):
            return _compile(job.source)
        return self._render(job)

    def _render(self, job: Render) -> Rendered | Fault:
        known = self._kept.get(job.digest)
        if known is None:
            if job.compiled is None:
                return Fault("unknown-template", "The template must be sent again.")
            try:
                known = (job.compiled, _parsed(job.compiled))
            except exceptions.LiquidError:
                return Fault("template", "The template cannot be read; save it again.")
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
            self._kept[job.digest] = known
        try:
            variables = msgspec.json.decode(job.variables)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return Fault("variable", "The variables are no JSON object.")
        if not isinstance(variables, dict):
            return Fault("variable", "The variables are no JSON object.")
        return _run(known[0], known[1], variables)


def _run(compiled: Compiled, ready: _Ready, variables: dict[str, Any]) -> Rendered | Fault:
    made: list[str] = []
    for part, template in zip(_PARTS, ready, strict=True):
        try:
            made.append(template.render(variables))
        except exceptions.LiquidError as error:
            return _while_running(error, part, getattr(compiled, part))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
            return Fault("variable", f"A variable used in the {part} has a value it cannot be used with.", part)
    # a line break in a variable stays inside the subject; every other control character is refused where it is built
    return Rendered(_BREAKS.sub(" ", made[0]).strip(), made[1], made[2])


def _while_running(error: exceptions.LiquidError, part: str, source: str) -> Fault:
    """The names that stand in the template, never what an error quotes: that may be a value."""
    start = error.token.start_index if error.token is not None else 0
    line = source.count("\n", 0, start) + 1
    found = _NAME.match(source, start)
    if isinstance(error, exceptions.ResourceLimitError):
        words = f"The {part} does more than a template may: loops, nesting or output are over their limit."
        return Fault("limit", words, part, line)
    if isinstance(error, exceptions.UndefinedError) and found is not None:
        return Fault(
            "variable", f"The variable `{found[0]}` is missing; give it, or write `| default:` after it.", part, line
        )
    if isinstance(error, exceptions.TemplateNotFoundError):
        return Fault("template", "A template cannot include another one.", part, line)
    return Fault(
        "variable", f"A variable used in the {part}, line {line}, has a value it cannot be used with.", part, line
    )


def _compile(source: Source) -> Compiled | Fault:
    if sum(len(getattr(source, part).encode()) for part in _PARTS) > MAX_SOURCE:
        return Fault("template", "The template is longer than 512 KB.")
    if not source.subject.strip():
        return Fault("template", "The subject must not be empty.", "subject")
    if not source.html.strip() and not source.text.strip():
        return Fault("template", "Give HTML, MJML or text.", "html")
    html = source.html
    if source.mjml and html.strip():
        made = _from_mjml(html)
        if isinstance(made, Fault):
            return made
        html = made
    text = source.text if source.text.strip() else text_of(html)
    compiled = Compiled(_BREAKS.sub(" ", source.subject).strip(), html, text)
    for part in _PARTS:
        fault = _readable(part, getattr(compiled, part), of=source)
        if fault is not None:
            return fault
    names = {name for template in _parsed(compiled) for name in template.analyze().globals}
    return msgspec.structs.replace(compiled, variables=tuple(sorted(names)))


def _parsed(compiled: Compiled) -> _Ready:
    return (
        _TEXT.from_string(compiled.subject), _HTML.from_string(compiled.html), _TEXT.from_string(compiled.text)
    )  # fmt: skip


def _readable(part: str, text: str, *, of: Source) -> Fault | None:
    """Nothing of a message is in sight here: an error may say what it read."""
    try:
        found = (_HTML if part == "html" else _TEXT).from_string(text).analyze()
    except exceptions.TemplateNotFoundError:
        return Fault("template", "A template cannot include another one.", part)
    except exceptions.LiquidError as error:
        said = (str(error).splitlines() or ["cannot be read"])[0][:200]
        start = error.token.start_index if error.token is not None else 0
        # of MJML the compiled lines are not the written ones
        line = 0 if part == "html" and of.mjml else text.count("\n", 0, start) + 1
        return Fault("template", f"Liquid: {said}.", part, line)
    except RecursionError:
        return Fault("template", "Liquid: tags stand too deep in one another.", part)
    unknown = sorted(name for name in found.filters if name not in _HTML.filters)
    if unknown:
        return Fault("template", f"Liquid: there is no filter `{unknown[0]}`.", part)
    if any(tag in ("include", "render", "extends", "block") for tag in found.tags):
        return Fault("template", "A template cannot include another one.", part)
    return None


def _from_mjml(source: str) -> str | Fault:
    """Liquid is kept out of the XML: `<` in a condition is none of its."""
    kept: list[str] = []
    # letters and digits alone: everything else the compiler might escape where it stands in an attribute
    mark = f"liquid{secrets.token_hex(8)}n"

    def away(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"{mark}{len(kept) - 1}z"

    bare = _LIQUID.sub(away, source)
    if _INCLUDES.search(bare):
        words = "MJML: nothing can be included; write what the file holds in the place of <mj-include>."
        return Fault("template", words, "html")
    try:
        # no fonts: they would come from another's server, and tell it who reads
        made: str = mjml.mjml2html(bare, disable_comments=True, fonts={})
    except ValueError as error:
        return Fault("template", f"MJML: {str(error)[:200]}.", "html")
    if len(made.encode()) > MAX_OUTPUT:
        return Fault("limit", "MJML: it becomes more than 1 MB of HTML; make it shorter.", "html")
    unknown = _NO_ELEMENT.search(made)
    if unknown is not None:
        # what the compiler does not know it leaves where it stands, and a mail program passes over it
        return Fault("template", f"MJML: there is no <{unknown[1]}> that may stand where it does.", "html")
    return re.sub(f"{mark}([0-9]+)z", lambda found: kept[int(found[1])], made)
