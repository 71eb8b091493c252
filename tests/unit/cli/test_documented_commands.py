"""Every command that README, the papers and the first-run list name is one that `carepost` understands."""

import importlib
import re
import shlex
from argparse import ArgumentParser
from pathlib import Path

import pytest

from carepost.cli.main import COMMANDS
from carepost.processes import first_run

ROOT = Path(__file__).parent.parent.parent.parent
PAPERS = (
    "README.md",
    "docs/policy.md",
    "docs/submitting.md",
    "docs/proof-format.md",
    "CONTRIBUTING.md",
    "docs/webhooks.md",
    "docs/sender-domains.md",
)
#: words that stand for a value of the reader's, where one of a fixed kind is asked for
STANDS_FOR = {"FILE": "f", "ADDRESS": "a@b.example", "ID": "00000000-0000-7000-8000-000000000000"}

pytestmark = pytest.mark.fast


def documented() -> list[str]:
    texts = [(ROOT / paper).read_text() for paper in PAPERS]
    texts.append(Path(first_run.__file__).read_text())
    found = []
    for text in texts:
        joined = re.sub(r"\\\n\s+", " ", text)
        # a line of its own, or a line of the first-run list
        for line in re.findall(r"^(?: {4}|  \d\. [^\n]*?|.*\| )\b(carepost [a-z][^\n]*)$", joined, re.M):
            for one in re.split(r"; (?=carepost )", line):
                found.append(re.split(r" {2,}[(#a-z]|\s+#| \(", one)[0].strip())
    return sorted({one for one in found if one.split()[1] in COMMANDS})


def test_some_are_found() -> None:
    assert len(documented()) >= 15, documented()


@pytest.mark.parametrize("line", documented())
def test_it_parses(line: str) -> None:
    line = re.sub(r"\[[^\]]*\]", "", line)
    words = [STANDS_FOR.get(word, word) for word in shlex.split(line)[1:]]
    if "every" in words:  # "carepost backup FILE every night, …"
        words = words[: words.index("every")]
    module = importlib.import_module(f"carepost.cli.{words[0]}")
    parser = ArgumentParser(prog=f"carepost {words[0]}")
    module.add_arguments(parser)
    parser.parse_args(words[1:])
