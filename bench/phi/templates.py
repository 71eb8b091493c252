"""Templates of messages: text files of `=== id level flags`, a subject line, a body with {placeholders}.

Flags: `to=org` the copy goes to an organisation, not to a person; `adv` belongs to the adversarial quarter; `hard`,
`generic` name a family of negatives; `html`, `file=NAME`, `split`, `zerowidth`, `homoglyph`, `entities`, `datauri` say
how the text is dressed. Sets are split by template, never by sentence: one template's messages are all in one set.
A set whose author had people and placeholders of their own holds its messages ready made, in `cases.jsonl`.
"""

import base64
import html
import json
import pathlib
import re
from typing import NamedTuple

from carepost.phi.types import Level, Part, Recipient, Where

_HEAD = re.compile(r"=== (\S+) (\S+)(.*)")
_LEVELS = {
    "high": Level.PHI_HIGH, "likely": Level.PHI_LIKELY, "pii": Level.PII_ONLY, "health-generic": Level.HEALTH_GENERIC,
    "none": Level.NONE,
}  # fmt: skip


class Template(NamedTuple):
    id: str
    level: Level
    flags: frozenset[str]
    file: str
    subject: str
    body: str

    @property
    def family(self) -> str:
        return next((f for f in ("adv", "hard", "generic") if f in self.flags), "positive")

    @property
    def recipient(self) -> Recipient:
        return Recipient("intake@partner.example" if "to=org" in self.flags else "someone@mailbox.example")


class Message(NamedTuple):
    template: Template
    parts: tuple[Part, ...]
    #: the identifiers that were put in, by kind
    values: dict[str, str]


def read(path: pathlib.Path) -> list[Template]:
    found = []
    for block in re.split(r"(?m)^(?==== )", path.read_text("utf-8")):
        head, _, rest = block.partition("\n")
        if not (match := _HEAD.fullmatch(head)):
            continue
        subject, _, body = rest.partition("\n")
        before, _, file = match[3].partition("file=")
        flags = before.split()
        found.append(
            Template(
                match[1], _LEVELS[match[2]], frozenset(flags), file, subject.removeprefix("Subject: "), body.strip()
            )
        )
    return found


def fill(template: Template, person: dict[str, str]) -> Message:
    """One message about one invented person."""
    values = dict(person)
    if "zerowidth" in template.flags:
        values["ssn"] = "\u200b".join(values["ssn"])
    text = lambda source: re.sub(r"\{([a-z0-9]+)\}", lambda m: values[m[1]], source)  # noqa: E731
    body, where = text(template.body), Where.TEXT
    if "html" in template.flags:
        where = Where.HTML
    elif "split" in template.flags:
        split = values["ssn"][:3] + "</b>" + values["ssn"][3:]
        body, where = f"<p>{body.replace(values['ssn'], '<b>' + split)}</p>", Where.HTML
    elif "entities" in template.flags:
        body, where = "".join(f"&#{ord(c)};" if c.isdigit() else html.escape(c) for c in body), Where.HTML
    elif "homoglyph" in template.flags:
        body = body.translate(str.maketrans("aeopcx", "аеорсх"))
    elif "datauri" in template.flags:
        packed = base64.b64encode(body.encode()).decode()
        body, where = f'<p>see inside</p><a href="data:text/plain;base64,{packed}">open</a>', Where.HTML
    parts = [Part(Where.SUBJECT, text(template.subject)), Part(where, body)]
    if template.file:
        parts.append(Part(Where.NAME, text(template.file), number=1, group=1))
    used = set(re.findall(r"\{([a-z0-9]+)\}", template.subject + template.body + template.file))
    return Message(template, tuple(parts), {kind: values[kind] for kind in used})


def cases(folder: pathlib.Path) -> list[Message]:
    """The messages of `cases.jsonl`, in its order: `id` is a template of the set and a number, `holds` the kinds of
    identifiers, `parts` where each text stands."""
    known = {template.id: template for path in sorted(folder.glob("*.txt")) for template in read(path)}
    found = []
    for line in (folder / "cases.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        parts = tuple(_part(Where[where], text) for where, text in case["parts"])
        found.append(Message(known[case["id"].rpartition("/")[0]], parts, dict.fromkeys(case["holds"], "")))
    return found


def _part(where: Where, text: str) -> Part:
    # as a file that is attached: its name and its text belong together
    return Part(where, text, number=1, group=1) if where in (Where.NAME, Where.DOCUMENT) else Part(where, text)
