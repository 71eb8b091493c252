"""Development messages: families of `dev/*.txt` whose choices are drawn by seed. They make weights, never a figure.

`[a|b|c]` draws one choice (brackets may nest, `\\|` is a bar), `<slot>` draws from `dev/slots.txt`; {placeholders} are
filled from invented people as in every template.
"""

import pathlib
import random
import re

import people
import templates

FOLDER = pathlib.Path(__file__).parent / "dev"
_CHOICE = re.compile(r"\[((?:[^\[\]\\]|\\.)*\|(?:[^\[\]\\]|\\.)*)\]")
_SLOT = re.compile(r"<([a-z]+)>")
_BAR = re.compile(r"(?<!\\)\|")


def slots() -> dict[str, list[str]]:
    lines = (line.partition(" = ") for line in (FOLDER / "slots.txt").read_text("utf-8").splitlines())
    return {name: choices.split("|") for name, _, choices in lines if choices}


def draw(text: str, known: dict[str, list[str]], rng: random.Random) -> str:
    """`text` with every choice and slot drawn."""
    while _CHOICE.search(text):
        text = _CHOICE.sub(lambda m: rng.choice(_BAR.split(m[1])), text)
    for _ in range(3):
        text = _SLOT.sub(lambda m: rng.choice(known[m[1]]) if m[1] in known else m[0], text)
    return text.replace("\\|", "|")


def messages(each: int) -> list[templates.Message]:
    """`each` messages of every family."""
    known = slots()
    made = []
    for path in sorted(FOLDER.glob("[dnp]*.txt")):
        for family in templates.read(path):
            for number in range(each):
                rng = random.Random(f"{path.name}/{family.id}/{number}")
                drawn = family._replace(
                    id=f"{path.stem}/{family.id}",
                    subject=draw(family.subject, known, rng),
                    body=draw(family.body, known, rng),
                )
                made.append(templates.fill(drawn, people.person(rng.randrange(1 << 30), held=rng.random() < 0.5)))
    return made
