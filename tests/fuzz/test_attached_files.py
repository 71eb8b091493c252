"""Damaged files of every kind: the reader answers, whatever stands in them, and never with an error."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.inspection.examine import files
from carepost.phi.documents.read import document, message
from carepost.phi.documents.types import REASONS, Document, Limits, Reading
from tests.support import papers

SEEDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "docx": ("a.docx", lambda: papers.docx("Jane Roe", **{"word/vbaProject.bin": b"x"})),
    "xlsx": ("a.xlsx", lambda: papers.xlsx([["Jane", "12"], ["Roe", "34"]])),
    "odt": ("a.odt", lambda: papers.odt("Jane Roe")),
    "zip": ("a.zip", lambda: papers.zipped({"a.txt": "Jane", "b.zip": papers.zipped({"c.txt": "Roe"})})),
    "flat": ("a.zip", lambda: papers.flat_bomb(20, 1000)),
    "pdf": ("a.pdf", lambda: papers.pdf_page("Jane Roe", catalogue=b"/OpenAction<</S/JavaScript/JS(x)>>")),
    "rtf": ("a.rtf", lambda: rb"{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}}{\f0 Jane \u8364? Roe}}"),
    "tnef": ("winmail.dat", lambda: papers.tnef("Jane", ("a.txt", b"Roe"))),
    "ole": ("a.doc", lambda: papers.ole("Jane Roe", "_VBA_PROJECT")),
    "hl7": ("a.hl7", lambda: b"MSH|^~\\&|L|X|||2020||ORU^R01|1|P|2.5\rPID|1||12^^^MR||DOE^JANE||19800102\r"),
    "xml": ("a.xml", lambda: b"<?xml version='1.0'?><ClinicalDocument><id extension='1'/>x</ClinicalDocument>"),
    "png": ("a.png", lambda: papers.png(30, 30)),
    "eml": ("a.eml", lambda: papers.mail("Jane", ("a.docx", papers.docx("Roe")))),
}
SMALL = Limits(file=1_000_000, inflated=5_000_000, member=2_000_000, members=200, files=50, text=100_000, texts=300_000)


def damaged(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out) or 1)
        how = chance.randrange(4)
        if how == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif how == 1:
            del out[at : at + chance.randint(1, 40)]
        elif how == 2:
            out[at:at] = out[at : at + chance.randint(1, 60)]
        else:
            out[at:at] = chance.choice([b"\0" * 8, b"\xff" * 4, b"<", b"{", b"(", b"<<", b"%", b"\r\n\r\n", b"&x;"])
    return bytes(out)


def sound(found: tuple[Document, ...]) -> None:
    for one in found:
        assert (one.reading is Reading.READ) == (one.reason == "")
        assert one.reason in REASONS | {""}
        assert one.reading is not Reading.UNREADABLE or one.reason


@pytest.mark.parametrize("kind", SEEDS, ids=str)
def test_damaged_files(kind: str) -> None:
    name, make = SEEDS[kind]
    data = make()
    chance = random.Random(f"files-{kind}")
    for _ in range(150):
        bad = damaged(data, chance)
        sound(document(bad, name, limits=SMALL))
        sound(document(bad, limits=SMALL))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=2000), st.text(max_size=40), st.sampled_from(["", "text/html", "message/rfc822", "image/png"])
)
def test_any_bytes_under_any_name(data: bytes, name: str, claimed: str) -> None:
    sound(document(data, name, claimed, limits=SMALL))


def test_damaged_messages() -> None:
    raw = papers.mail("Jane", ("a.docx", papers.docx("Roe")), ("b.zip", papers.zipped({"c.txt": "x"})))
    chance = random.Random("messages")
    for _ in range(200):
        found = message(damaged(raw, chance), limits=SMALL)
        sound(found.documents)
        assert len(files(found)) == len(found.documents)
