"""BI-064: protection does not hang on finding anything. What hides PHI from a scanner hides it from nothing here."""

import base64
from pathlib import Path

import msgspec
import pytest

from carepost.policy.types import Assurance
from tests.unit.intake.office import Office, submission

WORDS = "Jane Roe, born 3 May 1971, HIV positive, MRN 00482913"
HEAD = "From: Nurse Quill <nurse@clinic.test>\r\nSubject: x\r\nMessage-ID: <m@clinic.test>\r\nMIME-Version: 1.0\r\n"


def part(kind: str, body: str, *fields: str) -> bytes:
    return (HEAD + f"Content-Type: {kind}\r\n" + "".join(f"{f}\r\n" for f in fields) + "\r\n" + body + "\r\n").encode()


HIDDEN = {
    "in clear": part("text/plain; charset=utf-8", WORDS),
    "zero-width": part("text/plain; charset=utf-8", "\u200b".join(WORDS)),
    "soft hyphens": part("text/plain; charset=utf-8", "\u00ad".join(WORDS)),
    "comments": part("text/html; charset=utf-8", "<!-- x -->".join(WORDS)),
    "base64 in text": part("text/plain", base64.b64encode(WORDS.encode()).decode()),
    "base64 part": part("text/plain", base64.b64encode(WORDS.encode()).decode(), "Content-Transfer-Encoding: base64"),
    "a picture alone": part("image/png", "iVBORw0KGgo=", "Content-Transfer-Encoding: base64"),
    "unreadable": part(
        'multipart/mixed; boundary="a"', "--a\r\nContent-Type: message/partial; id=x; number=1\r\n\r\nx"
    ),
}
NOTHING = part("text/plain", "The car park is closed on Monday.")


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
async def test_bi_064_hidden_or_not_it_is_protected_as_every_message_is(tmp_path: Path, hidden: str) -> None:
    office = Office(tmp_path)
    await office.queue.start()
    office.seen("plain.test", Assurance.NONE)
    intake = office.intake()
    try:
        found = []
        for body in (NOTHING, HIDDEN[hidden]):
            accepted = await intake.accept(submission("a@verified.test", "b@plain.test", body=body))
            found.append([msgspec.structs.replace(one, id="") for one in accepted.deliveries])
        assert found[0] == found[1]
        listed = await office.queue.listing(b"")
        assert len(listed) == 2
        claims = await office.queue.claim(10)
        floors = [step.floor for c in claims if c.record.plan is not None for step in c.record.plan.steps]
        assert floors and min(floors) >= Assurance.MAILBOX
    finally:
        await office.close()
