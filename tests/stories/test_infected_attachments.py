"""HS-08, BI-056..059: what an attachment is decides, when a rule asks: real clamd, real workers, real mail."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from carepost.inspection.clamd import Clamd
from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.policy.types import Attachment, Rule
from carepost.proof import kinds
from tests.support import papers
from tests.support.delivering import Delivering, body, side
from tests.support.mailhost import Ca, MailHost
from tests.support.scanner import EICAR, scanner

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.peers]

INFECTED = Rule("no-virus", attachments=(Attachment.INFECTED, Attachment.UNSCANNED), action="hold")
MACROS = Rule("no-macros", attachments=(Attachment.MACRO,), action="refuse")
LOCKED = Rule("no-locked", attachments=(Attachment.ENCRYPTED,), action="hold")
POSING = Rule("no-posing", attachments=(Attachment.MISMATCH,), action="hold")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(Limits(workers=1), Start(ocr=False))
    yield made
    await made.close()


def letter(name: str, data: bytes) -> bytes:
    """With a file attached."""
    head, _, text = body("Papers").partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Type"))
    return (
        kept
        + (
            f'\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n--cut\r\n\r\n{text.decode()}\r\n--cut\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            f"{base64.encodebytes(data).decode().replace(chr(10), chr(13) + chr(10))}--cut--\r\n"
        ).encode()
    )


def host(ca: Ca) -> dict[str, MailHost]:
    return {"mx.there.test": MailHost(ca.leaf("mx.there.test").context())}


async def ended(ca: Ca, inspector: Inspector, raw: bytes, *rules: Rule) -> tuple[str, str, int]:
    """State, reason, and how many messages the other side got."""
    async with Delivering(host(ca), side("there.test"), ca, rules=rules, inspector=inspector) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=raw), within=60)
        assert len(await willow.events(kinds.DELIVERY_INSPECTED)) == 1
        return view.state, view.reason, len(willow.hosts["mx.there.test"].bodies)


async def test_hs_08_an_infected_file_is_held_and_a_clean_one_goes(ca: Ca, pool: Pool) -> None:
    with scanner() as socket:
        inspector = Inspector(pool, Clamd(str(socket)))
        wrapped = papers.zipped({"inside/setup.com": EICAR})
        assert await ended(ca, inspector, letter("a.zip", wrapped), INFECTED) == ("held", "rule-holds", 0)
        state, _, got = await ended(ca, inspector, letter("a.docx", papers.docx("Hello")), INFECTED)
        assert (state, got) == ("sent", 1)


async def test_a_scanner_that_is_away_holds(ca: Ca, pool: Pool, tmp_path: Path) -> None:
    inspector = Inspector(pool, Clamd(str(tmp_path / "nobody.sock")))
    assert (await ended(ca, inspector, letter("a.docx", papers.docx("Hello")), INFECTED))[0] == "held"


async def test_bi_059_macros_are_refused_by_rule(ca: Ca, pool: Pool) -> None:
    data = papers.docx("Hello", **{"word/vbaProject.bin": b"x"})
    assert await ended(ca, Inspector(pool), letter("a.docm", data), MACROS) == ("failed", "rule-refuses", 0)
    assert (await ended(ca, Inspector(pool), letter("a.docx", papers.docx("Hello")), MACROS))[0] == "sent"


async def test_bi_058_what_cannot_be_opened_is_held_where_a_rule_asks_what_is_in_it(ca: Ca, pool: Pool) -> None:
    assert (await ended(ca, Inspector(pool), letter("a.zip", papers.encrypted_zip()), LOCKED))[0] == "held"
    assert (await ended(ca, Inspector(pool), letter("a.zip", papers.flat_bomb()), LOCKED))[0] == "held"


async def test_bi_057_a_page_posing_as_a_picture_is_held_by_rule(ca: Ca, pool: Pool) -> None:
    page = b"<!doctype html><script>x</script>"
    assert (await ended(ca, Inspector(pool), letter("photo.png", page), POSING))[0] == "held"
    assert (await ended(ca, Inspector(pool), letter("photo.png", papers.png(30, 30)), POSING))[0] == "sent"
