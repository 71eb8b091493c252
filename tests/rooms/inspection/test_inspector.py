"""The one door: asks for what is needed, once a message, and says per recipient what is in it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from carepost.ground.config import Config
from carepost.ground.errors import ConfigError
from carepost.inspection.clamd import Clamd
from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Level, Needs, Virus
from carepost.phi.documents.types import Kind, Trait
from carepost.phi.types import Recipient
from tests.support import papers
from tests.support.scanner import EICAR, scanner

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.peers]

PATIENT = Recipient("jane.roe@verified.test")
COLLEAGUE = Recipient("lab@clinic.test", own=True)
RESULT = papers.mail("Your A1c is 8.4%. Your next visit is on Monday.", subject="Your results")
ALL = Needs(virus=True)


class Counted(Pool):
    asked = 0

    async def inspect(self, raw, custom=None, *, detect=True, deadline=60.0):  # type: ignore[no-untyped-def]
        self.asked += 1
        return await super().inspect(raw, custom, detect=detect, deadline=deadline)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Counted]:
    made = Counted(Limits(workers=1), Start(ocr=False))
    yield made
    await made.close()


@pytest.fixture
def pool(shared: Counted) -> Counted:
    shared.asked = 0
    return shared


async def test_nothing_needed_nothing_done(pool: Counted) -> None:
    found = await Inspector(pool).content(RESULT, PATIENT, None, Needs(level=False, files=False))
    assert found.level is None and found.unknown == () and found.files is None
    assert pool.asked == 0


async def test_one_look_serves_every_recipient_by_who_they_are(pool: Counted) -> None:
    inspector = Inspector(pool)
    found = await asyncio.gather(*(inspector.content(RESULT, who) for who in (PATIENT, COLLEAGUE) * 20))
    assert pool.asked == 1
    assert found[0].level is Level.PHI_HIGH and found[0].unknown == ()
    assert found[1].level is not None and found[1].level < Level.PHI_LIKELY


async def test_files_alone_are_looked_at_without_weighing_words(pool: Counted) -> None:
    raw = papers.mail("Your A1c is 8.4%", ("report.pdf.exe", b"MZ" + bytes(90)))
    found = await Inspector(pool).content(raw, PATIENT, None, Needs(level=False))
    assert found.level is None and found.findings is None
    assert found.files is not None and found.files[0].kind is Kind.EXECUTABLE
    assert {Trait.EXECUTABLE, Trait.DOUBLE_EXTENSION} <= found.traits


async def test_a_message_of_two_readings_has_no_files_and_no_level_to_rely_on(pool: Counted) -> None:
    raw = (papers.HEAD + "Subject: a\r\nContent-Type: message/partial; id=x; number=1\r\n\r\nx").encode()
    found = await Inspector(pool).content(raw, PATIENT)
    assert found.files is None and found.unknown == ("message-structure",)


async def test_virus_and_content_are_asked_together(pool: Counted) -> None:
    with scanner() as socket:
        inspector = Inspector(pool, Clamd(str(socket)))
        found = await inspector.content(papers.mail("x", ("a.com", EICAR)), PATIENT, None, ALL)
        clean = await inspector.content(RESULT, PATIENT, None, ALL)
        assert found.virus.virus is Virus.INFECTED
        assert clean.virus.virus is Virus.CLEAN and clean.level is Level.PHI_HIGH


async def test_bi_058_a_scanner_as_it_comes_calls_nothing_clean_that_nobody_can_look_into(pool: Counted) -> None:
    deep = EICAR
    for _ in range(20):
        deep = papers.zipped({"inner.zip": deep})
    ciphertext = b"-----BEGIN PGP MESSAGE-----\r\n\r\nx\r\n-----END PGP MESSAGE-----\r\n"
    with scanner(AlertExceedsMax="no", AlertEncrypted="no") as path:
        inspector = Inspector(pool, Clamd(str(path)))
        for name, data, expected in (
            ("a.zip", deep, (Virus.INCOMPLETE, "limits")),
            ("a.zip", papers.encrypted_zip(), (Virus.INCOMPLETE, "encrypted")),
            ("a.docx", papers.docx("Hello"), (Virus.CLEAN, "")),
            ("a.asc", ciphertext, (Virus.CLEAN, "")),
        ):
            raw = papers.mail("See the file", (name, data))
            assert (await Clamd(str(path)).scan(raw)).virus is Virus.CLEAN
            found = await inspector.content(raw, PATIENT, None, ALL)
            assert (found.virus.virus, found.virus.reason) == expected


async def test_without_a_scanner_nothing_is_called_clean(pool: Counted, tmp_path: Path) -> None:
    none = await Inspector(pool).content(RESULT, PATIENT, None, ALL)
    assert (none.virus.virus, none.virus.reason) == (Virus.UNAVAILABLE, "not-configured")
    away = await Inspector(pool, Clamd(str(tmp_path / "none"))).content(RESULT, PATIENT, None, ALL)
    assert (away.virus.virus, away.virus.reason) == (Virus.UNAVAILABLE, "not-running")


async def test_an_unknown_is_not_remembered(pool: Counted) -> None:
    inspector = Inspector(pool)
    slow = await inspector.content(RESULT, PATIENT, key=b"m1", deadline=0.0)
    assert (slow.level is None and slow.unknown == ("too-slow",)) or slow.unknown == ("not-started",)
    later = await inspector.content(RESULT, PATIENT, key=b"m1", deadline=60)
    assert later.level is Level.PHI_HIGH


async def test_the_settings_make_one(tmp_path: Path) -> None:
    inspector = Inspector.of(Config(inspection_workers=3, clamd=str(tmp_path / "clamd.ctl")))
    await inspector.close()
    with pytest.raises(ConfigError, match="clamd"):
        Inspector.of(Config(clamd="scanner.example:3310"))
