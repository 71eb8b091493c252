"""Hostile header fields (BI-044, BI-048, BI-049, BI-063, BI-065), and what their reader must see."""

import re
from collections.abc import Callable

from tests.support.hostile_letters import plain
from tests.support.mailers import SENDER
from tests.support.reader import Seen


def one_subject(seen: Seen) -> None:
    heading = re.search(r"<h1>(.*?)</h1>", seen.page.text, re.DOTALL)
    assert heading is not None
    assert "Bcc: eve@verified.test" in heading[1] and "\n" not in heading[1]


def named(real: str, *not_there: str) -> Callable[[Seen], None]:
    def look(seen: Seen) -> None:
        said = re.sub(r"\s+", " ", seen.words)
        assert real in said and SENDER in said
        for word in not_there:
            assert word not in seen.page.text, f"U+{ord(word[0]):04X}"

    return look


def our_time(seen: Seen) -> None:
    assert "9999" not in seen.words and "1969" not in seen.words
    assert re.search(r"Sent\s+\d{1,2} \w+ 20\d\d", seen.words), seen.words


#: id -> (the message, what its reader must see)
CASES: dict[str, tuple[bytes, Callable[[Seen], None]]] = {
    "bi-044-subject": (plain("Subject: =?UTF-8?Q?Hello=0D=0ABcc:_eve@verified.test?="), one_subject),
    "bi-048-name": (plain(f'From: "boss@good.test, eve@verified.test" <{SENDER}>'), named("boss@good.test, eve@")),
    "bi-049-comma": (plain(f"From: =?utf-8?q?Sample=2C_eve=40verified=2Etest?= <{SENDER}>"), named("Sample, eve@")),
    "bi-063-sender": (
        plain(f"From: \u202eknaB\u202c P\u0430yp\u0430l \u200f<{SENDER}>"),
        named("p\u0430l", "\u202e", "\u202c", "\u200f"),
    ),
    "bi-065-year": (plain("Date: Fri, 31 Dec 9999 23:59:59 +0000", "Message-ID: <same@clinic.test>"), our_time),
    "bi-065-before": (plain("Date: Thu, 1 Jan -001 00:00:00 +0000", "Message-ID: <same@clinic.test>"), our_time),
    "bi-065-long": (plain("Message-ID: <" + "\r\n ".join(["x" * 900] * 11) + "@clinic.test>"), our_time),
}  # fmt: skip
