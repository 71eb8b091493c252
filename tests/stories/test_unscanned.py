"""A scanner is set up and does not answer: what has a file attached waits, by a rule of ours (fail closed), unless the
organisation's own rule says otherwise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from carepost.directory.scanning import INFECTED, UNSCANNED, built_in
from carepost.inspection.clamd import Clamd
from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.policy.types import Attachment, Rule
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from tests.support.delivering import SENDER, Delivering, body, side
from tests.support.mailhost import Ca, MailHost

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c" + bytes(64)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(Limits(workers=1), Start(ocr=False))
    yield made
    await made.close()


def with_file(data: bytes, name: str) -> bytes:
    return compose.build(
        from_=Mailbox("", SENDER), to=[Mailbox("", "jane.roe@there.test")], subject="A file", text="See the file.",
        attachments=[compose.Attachment(name, "application/octet-stream", data)], message_id=f"<{name}@willow.test>",
        at=1_795_262_400_000_000,
    )  # fmt: skip


def host(ca: Ca) -> dict[str, MailHost]:
    return {"mx.there.test": MailHost(ca.leaf("mx.there.test").context())}


async def test_an_own_rule_takes_the_place_of_ours() -> None:
    open_ = Rule("unscanned-is-fine", attachments=(Attachment.UNSCANNED,), warn=True)
    never = Rule("never", attachments=(Attachment.INFECTED,), action="refuse")
    assert built_in(()) == (INFECTED, UNSCANNED)
    assert built_in((open_,)) == (INFECTED,)
    assert built_in((never, open_)) == ()


async def test_what_nobody_scanned_waits(ca: Ca, pool: Pool, tmp_path: Path) -> None:
    away = Inspector(pool, Clamd(str(tmp_path / "no-such-socket")))
    async with Delivering(host(ca), side("there.test"), ca, rules=built_in(()), inspector=away) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=with_file(b"text", "a.txt")))
        assert (view.state, view.rule) == ("held", "unscanned-attachment")
        plain = await willow.ended(await willow.submit("jane.roe@there.test", raw=body()))
        assert plain.state == "sent", "nothing is attached: nothing to scan"


@pytest.mark.parametrize(
    ("data", "name"), [(SEVEN_ZIP, "a.7z"), (b"Rar!\x1a\x07\x01\x00" + bytes(64), "a.rar")], ids=["7z", "rar"]
)
async def test_an_archive_nobody_can_open_takes_the_strictest_branch(
    ca: Ca, pool: Pool, data: bytes, name: str
) -> None:
    """BI-060: what cannot be opened may be encrypted, and may hold anything."""
    closed = Rule("no-encrypted", attachments=(Attachment.ENCRYPTED,), action="hold")
    async with Delivering(host(ca), side("there.test"), ca, rules=(closed,), inspector=Inspector(pool)) as willow:
        view = await willow.ended(await willow.submit("jane.roe@there.test", raw=with_file(data, name)))
        assert (view.state, view.rule) == ("held", "no-encrypted")
