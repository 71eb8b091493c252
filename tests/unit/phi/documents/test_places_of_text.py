"""Places of a file in which words stand that no page shows first: each is read, or the file is not called read."""

import pytest

from carepost.phi.documents.read import document

pytestmark = pytest.mark.fast

RTF = (
    rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}{\info{\title TITLED}{\author WRITTEN}}"
    rb"{\header ABOVE\par}{\footerf BELOW\par}"
    rb"Body \u945?\u8364?{\v HIDDEN}{\footnote NOTED}{\*\annotation REMARKED}{\deleted STRUCK}{\bin5 {{{{{AFTER "
    rb"{\shp{\*\shpinst\shpleft1{\sp{\sn fLine}{\sv 98765}}{\shptxt BOXED\par}}}"
    rb"{\field{\*\fldinst{ FORMTEXT {\*\formfield{\*\ffdeftext FILLED}}}}{\fldrslt SHOWN}} end}"
)


@pytest.mark.parametrize(
    "place",
    ["TITLED", "WRITTEN", "ABOVE", "BELOW", "HIDDEN", "NOTED", "REMARKED", "STRUCK", "AFTER", "BOXED", "FILLED"],
)
def test_rtf_beside_its_body(place: str) -> None:
    (found,) = document(RTF, "letter.rtf")
    assert place in found.text and "Body α€" in found.text and "SHOWN end" in found.text
    assert "98765" not in found.text and "fLine" not in found.text


def test_folded_lines_of_a_calendar_are_one_line() -> None:
    data = b"BEGIN:VCALENDAR\r\nDESCRIPTION:SSN 123-45-\r\n 6789\\, due\\nJane\r\nEND:VCALENDAR\r\n"
    assert "SSN 123-45-6789, due\nJane\r\n" in document(data, "visit.ics")[0].text
