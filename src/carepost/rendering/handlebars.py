"""Handlebars, as SendGrid's dynamic templates are written, said in Liquid: names, `if`, `unless`, `each`, `else`,
`insert` with a default, and the comparisons. The rest is refused with what to do instead. Pure; nothing is run here.

A missing name refuses the message, as it does in every template here; in a condition and in `each` it counts as empty,
and `insert` gives its default. What a name holds is escaped in HTML as Handlebars does it (`{{{name}}}`: it is not)."""

import re
from typing import Final, NoReturn

import msgspec

from carepost.rendering.once import TemplateFault
from carepost.rendering.types import Fault

_TOKEN: Final = re.compile(r"\{\{\{(.*?)\}\}\}|\{\{(~?)(!--.*?--|.*?)(~?)\}\}", re.DOTALL)
_SEGMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORD: Final = re.compile(r'"[^"]*"|\'[^\']*\'|[^\s"\']+')
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
#: words that mean something else in Liquid
_TAKEN: Final = frozenset(
    {"and", "blank", "contains", "else", "empty", "false", "forloop", "if", "in", "nil", "not", "null", "or", "true"}
)
_LITERALS: Final = frozenset({"true", "false"})
_COMPARED: Final = {"equals": "==", "notEquals": "!=", "greaterThan": ">", "lessThan": "<"}
_JOINED: Final = {"and": "and", "or": "or"}
_MOST: Final = 50
_OWN: Final = "or write the template in Liquid through /api/v1/templates."


class _Block(msgspec.Struct):
    """What is open. `inner`: further conditions inside it (`else if`), which end with it."""

    name: str
    line: int
    end: str
    #: of `each`: the name of what it stands at
    item: str = ""
    inner: int = 0
    otherwise: bool = False


def translate(text: str, part: str) -> str:
    """`part`: subject, html or text, for what is complained of. Raises TemplateFault."""
    return _Translation(text, part).whole()


class _Translation:
    def __init__(self, text: str, part: str) -> None:
        self._text, self._part = text, part
        self._open: list[_Block] = []
        self._made: list[str] = []
        self._names = 0
        self._line = 1

    def whole(self) -> str:
        at = 0
        for found in _TOKEN.finditer(self._text):
            self._literal(self._text[at : found.start()])
            before, after = "-" * bool(found[2]), "-" * bool(found[4])
            if found[1] is not None:
                self._output(found[1].strip(), "", "", raw=True)
            else:
                self._tag(found[3].strip(), before, after)
            self._line += found[0].count("\n")
            at = found.end()
        self._literal(self._text[at:])
        if self._open:
            block = self._open[-1]
            self._line = block.line
            self._fault(f"{{{{#{block.name}}}}} is never closed; write {{{{/{block.name}}}}} where it ends.")
        return "".join(self._made)

    def _literal(self, text: str) -> None:
        if "{{" in text:
            self._line += text.count("\n", 0, text.index("{{"))
            self._fault("Two braces open here and never close.")
        self._line += text.count("\n")
        if text.endswith("\\"):
            self._fault("Braces cannot be escaped here; let a variable hold them.")
        # a tag to Liquid, and nothing to Handlebars
        self._made.append(text.replace("{%", '{{ "{%" }}'))

    def _tag(self, said: str, before: str, after: str) -> None:
        if said.startswith("!"):
            return
        if said.startswith("#"):
            self._begin(said[1:].strip(), before, after)
        elif said.startswith("/"):
            self._end(said[1:].strip(), before, after)
        elif said == "else" or said.startswith("else ") or said == "^":
            self._else(said.removeprefix("else").removeprefix("^").strip(), before, after)
        elif said.startswith((">", "*", "^")):
            self._fault(f"Partials and inverse blocks cannot be carried over: put their text here, {_OWN}")
        elif said.startswith("&"):
            self._output(said[1:].strip(), before, after, raw=True)
        else:
            self._output(said, before, after)

    def _output(self, said: str, before: str, after: str, *, raw: bool = False) -> None:
        words = _WORD.findall(said)
        if not words:
            self._fault("Nothing is named between the braces.")
        filters = ""
        if words[0] == "insert" and len(words) in (2, 3):
            value, filters = self._insert(words)
        elif len(words) == 1:
            value = self._path(words[0])
        else:
            self._fault(f"The helper {_shown(words[0])} cannot be carried over: do it in your program, {_OWN}")
        safe = " | safe" if raw and self._part == "html" else ""
        self._made.append(f"{{{{{before} {value}{filters}{safe} {after}}}}}")

    def _insert(self, words: list[str]) -> tuple[str, str]:
        """`insert name "default=…"`; the name may stand in quotation marks."""
        value = self._path(words[1].strip("\"'"))
        if len(words) == 2:
            return value, ""
        default = words[2][1:-1]
        if words[2][0] not in "\"'" or not default.startswith("default="):
            self._fault('Write it so: {{insert name "default=what stands there otherwise"}}.')
        return value, f" | default: {self._quoted(default.removeprefix('default='))}"

    def _begin(self, said: str, before: str, after: str) -> None:
        words = _WORD.findall(said)
        name = words[0] if words else ""
        if len(self._open) >= _MOST:
            self._fault(f"Blocks stand more than {_MOST} deep in one another; make the template simpler.")
        if name == "each" and len(words) == 2:
            self._each(self._path(words[1]), before, after)
        elif name in ("if", "unless") and len(words) == 2:
            said = self._condition(self._path(words[1]))
            self._made.append(f"{{%{before} {name} {said} {after}%}}")
            self._open.append(_Block(name, self._line, f"end{name}"))
        elif (name in _COMPARED or name in _JOINED) and len(words) == 3:
            self._made.append(f"{{%{before} if {self._compared(words)} {after}%}}")
            self._open.append(_Block(name, self._line, "endif"))
        elif name in ("if", "unless", "each", *_COMPARED, *_JOINED):
            self._fault(f"{{{{#{name}}}}} takes {'two values' if name in {*_COMPARED, *_JOINED} else 'one name'}.")
        else:
            self._fault(f"The block {_shown(name)} cannot be carried over: do it in your program, {_OWN}")

    def _each(self, path: str, before: str, after: str) -> None:
        listed, item = self._fresh("list"), self._fresh("item")
        self._made.append(
            f'{{%{before} assign {listed} = {path} | default: "" %}}{{% for {item} in {listed} {after}%}}'
        )
        self._open.append(_Block("each", self._line, "endfor", item))

    def _end(self, name: str, before: str, after: str) -> None:
        if not self._open or self._open[-1].name != name:
            self._fault(f"{{{{/{_shown(name)}}}}} closes what is not open here.")
        block = self._open.pop()
        self._made.append("{% endif %}" * block.inner + f"{{%{before} {block.end} {after}%}}")

    def _else(self, said: str, before: str, after: str) -> None:
        if not self._open:
            self._fault("{{else}} stands in no block.")
        block = self._open[-1]
        if block.otherwise:
            self._fault(f"{{{{#{block.name}}}}} has two {{{{else}}}}.")
        self._made.append(f"{{%{before} else {after}%}}")
        if not said:
            block.otherwise = True
            return
        words = _WORD.findall(said)
        if block.name == "each" or len(self._open) + block.inner >= _MOST:
            self._fault("Close the block, and begin another one, in place of this {{else …}}.")
        if words[0] == "if" and len(words) == 2:
            condition = self._condition(self._path(words[1]))
        elif words[0] in (*_COMPARED, *_JOINED) and len(words) == 3:
            condition = self._compared(words)
        else:
            self._fault("After {{else stands nothing, if, or a comparison.")
        self._made.append(f"{{% if {condition} %}}")
        block.inner += 1

    def _condition(self, path: str) -> str:
        """True as Handlebars has it: not false, missing, empty or 0. What is needed before it is written."""
        name = self._fresh("if")
        self._made.append(f"{{% assign {name} = {path} | default: false %}}")
        return f"{name} and {name} != 0"

    def _compared(self, words: list[str]) -> str:
        if words[0] in _JOINED:
            first, second = (self._held(word, "default: false") for word in words[1:])
            if words[0] == "and":
                return f"{first} and {first} != 0 and {second} and {second} != 0"
            # Liquid reads from the right: what stands so is (a and a≠0) or (b and b≠0)
            return f"{first} and {first} != 0 or {second} and {second} != 0"
        first, second = (self._held(word, 'default: "", allow_false: true') for word in words[1:])
        return f"{first} {_COMPARED[words[0]]} {second}"

    def _held(self, word: str, default: str) -> str:
        """A value as it stands, or a name for what a path holds."""
        if word in _LITERALS or _NUMBER.fullmatch(word):
            return word
        if word[0] in "\"'":
            return self._quoted(word[1:-1])
        name = self._fresh("if")
        self._made.append(f"{{% assign {name} = {self._path(word)} | {default} %}}")
        return name

    def _path(self, said: str) -> str:
        items = [block.item for block in self._open if block.item]
        if said in ("@index", "@first", "@last"):
            if not items:
                self._fault(f"{said} has a meaning only in {{{{#each}}}}.")
            return {"@index": "forloop.index0", "@first": "forloop.first", "@last": "forloop.last"}[said]
        rest = said
        while rest.startswith("../"):
            if not items:
                self._fault("../ leads out of the template here.")
            items.pop()
            rest = rest[3:]
        if rest.startswith("@root."):
            items, rest = [], rest[6:]
        here = rest in ("this", ".")
        rest = rest.removeprefix("this.").removeprefix("./")
        root = items[-1] if items else ""
        if here:
            if not root:
                self._fault("{{this}} has a meaning only in {{#each}}.")
            return root
        return self._segments(rest, root)

    def _segments(self, said: str, root: str) -> str:
        made = root
        for segment in said.split("."):
            number = segment.strip("[]")
            if made and number.isascii() and number.isdigit() and len(number) < 6:
                made += f"[{number}]"
            elif _SEGMENT.fullmatch(segment) and (made or segment not in _TAKEN):
                made += f".{segment}" if made else segment
            else:
                words = "Names are letters, digits, _ and -, with dots between them, and none of Liquid's own words"
                self._fault(f"{_shown(said)} cannot be a name here. {words}; rename it.")
        return made

    def _quoted(self, text: str) -> str:
        if "\\" in text or ('"' in text and "'" in text):
            self._fault("A text in quotation marks holds no backslash, and one kind of quotation marks alone.")
        return f"'{text}'" if '"' in text else f'"{text}"'

    def _fresh(self, what: str) -> str:
        self._names += 1
        return f"hb_{what}_{self._names}"

    def _fault(self, words: str) -> NoReturn:
        raise TemplateFault(Fault("template", words, self._part, self._line))


def _shown(name: str) -> str:
    """A word of the template, as far as it is one: nothing of a message stands in it."""
    found = _SEGMENT.match(name.lstrip("#/@"))
    return f"`{found[0][:40]}`" if found else "here"
