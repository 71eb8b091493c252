"""Debian's clamd over INSTREAM, with a signature of our own (HS-08): clean, infected, incomplete, unavailable."""

import asyncio
import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from carepost.ground.errors import ConfigError
from carepost.inspection.clamd import Clamd
from carepost.inspection.types import Virus
from tests.support import papers
from tests.support.scanner import EICAR, MOST, NAME, scanner

pytestmark = pytest.mark.peers


def _pdf_with(data: bytes) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("e.com", data)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with scanner() as path:
        yield path


async def test_it_answers(socket: Path) -> None:
    assert await Clamd(str(socket)).ping()


async def test_clean_mail_is_clean(socket: Path) -> None:
    verdict = await Clamd(str(socket)).scan(papers.mail("Good morning", ("a.docx", papers.docx("Hello"))))
    assert (verdict.virus, verdict.name) == (Virus.CLEAN, "")


@pytest.mark.parametrize(
    "wrap", [lambda data: data, lambda data: papers.zipped({"in/here.com": data})], ids=["bare", "zip"]
)
async def test_hs_08_an_infected_attachment_is_found_and_named(socket: Path, wrap: object) -> None:
    assert callable(wrap)
    verdict = await Clamd(str(socket)).scan(papers.mail("See attached", ("a.bin", wrap(EICAR))))
    assert verdict.virus is Virus.INFECTED
    assert verdict.name.startswith(NAME)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("e.zip", papers.zipped({"a.zip": papers.zipped({"b.zip": papers.zipped({"e.com": EICAR})})})),
        ("e.eml", papers.mail("within", ("e.com", EICAR))),
        ("winmail.dat", papers.tnef("x", ("e.com", EICAR))),
        ("e.pdf", _pdf_with(EICAR)),
    ],
    ids=["zips", "message", "tnef", "pdf"],
)
async def test_hs_08_what_is_infected_is_found_wherever_it_stands(socket: Path, name: str, data: bytes) -> None:
    verdict = await Clamd(str(socket)).scan(papers.mail("See the file", (name, data)))
    assert verdict.virus is Virus.INFECTED


async def test_bi_055_infected_base64_with_junk_between(socket: Path) -> None:
    written = base64.b64encode(EICAR)
    broken = b"!!".join(written[at : at + 4] for at in range(0, len(written), 4))
    raw = papers.mail("See the file", ("e.com", EICAR))
    assert written in raw.replace(b"\r\n", b"")
    head, _, rest = raw.partition(written[:60])
    verdict = await Clamd(str(socket)).scan(head + broken + b"\r\n" + rest[rest.index(b"\r\n--") :])
    assert verdict.virus is Virus.INFECTED


async def test_what_it_cannot_look_into_is_not_called_clean_nor_infected(socket: Path) -> None:
    verdict = await Clamd(str(socket)).scan(papers.mail("x", ("locked.zip", papers.encrypted_zip())))
    assert (verdict.virus, verdict.reason) == (Virus.INCOMPLETE, "encrypted")


async def test_beyond_its_size_it_is_incomplete(socket: Path) -> None:
    verdict = await Clamd(str(socket)).scan(papers.mail("x", ("big.bin", bytes(3 * MOST))))
    assert (verdict.virus, verdict.reason) == (Virus.INCOMPLETE, "too-large")


async def test_many_at_once(socket: Path) -> None:
    clamd = Clamd(str(socket), connections=2)
    infected = papers.mail("x", ("a.com", EICAR))
    found = await asyncio.gather(*(clamd.scan(infected if n % 3 == 0 else papers.mail(f"{n}")) for n in range(12)))
    assert [v.virus for v in found] == [Virus.INFECTED if n % 3 == 0 else Virus.CLEAN for n in range(12)]


async def test_over_loopback_tcp() -> None:
    with_port = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = with_port.sockets[0].getsockname()[1]
    with_port.close()
    await with_port.wait_closed()
    with scanner(TCPSocket=str(port), TCPAddr="127.0.0.1") as _:
        clamd = Clamd(f"127.0.0.1:{port}")
        assert (await clamd.scan(EICAR)).virus is Virus.INFECTED
        assert await clamd.ping()


async def test_none_there_is_unavailable(tmp_path: Path) -> None:
    clamd = Clamd(str(tmp_path / "nobody.sock"))
    verdict = await clamd.scan(b"x")
    assert (verdict.virus, verdict.reason) == (Virus.UNAVAILABLE, "not-running")
    assert not await clamd.ping()


async def _standin(path: Path, says: bytes, *, hang: bool = False) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(says)
        if not hang:
            writer.close()
        else:
            await reader.read(-1)

    return await asyncio.start_unix_server(answer, str(path))


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"", "not-running"),
        (b"INSTREAM: something. ERROR\0", "refused"),
        (b"UNKNOWN COMMAND\0", "refused"),
        (b"HTTP/1.1 200: OK\0", "refused"),
        (b"220 mail: OK\0", "refused"),
        (b"stream: OK, or nearly\0", "refused"),
        (b"\xff\xfe" * 4000, "refused"),
    ],
    ids=str,
)
async def test_an_answer_that_is_none_is_unavailable(tmp_path: Path, says: bytes, reason: str) -> None:
    server = await _standin(tmp_path / "s", says)
    async with server:
        verdict = await Clamd(str(tmp_path / "s")).scan(b"x")
    assert (verdict.virus, verdict.reason) == (Virus.UNAVAILABLE, reason)


async def test_clean_said_before_all_was_sent_is_no_answer(tmp_path: Path) -> None:
    server = await _standin(tmp_path / "s", b"stream: OK\0")
    async with server:
        verdict = await Clamd(str(tmp_path / "s")).scan(bytes(8_000_000))
    assert verdict.virus is Virus.UNAVAILABLE


async def test_one_that_never_answers_ends_at_the_deadline(tmp_path: Path) -> None:
    server = await _standin(tmp_path / "s", b"", hang=True)
    async with server:
        verdict = await Clamd(str(tmp_path / "s")).scan(b"x", deadline=0.2)
    assert (verdict.virus, verdict.reason) == (Virus.UNAVAILABLE, "too-slow")


async def test_a_name_is_cut_to_what_may_be_shown(tmp_path: Path) -> None:
    server = await _standin(tmp_path / "s", b"stream: Evil\r\n<b>" + b"n" * 300 + b" FOUND\0")
    async with server:
        verdict = await Clamd(str(tmp_path / "s")).scan(b"x")
    assert verdict.virus is Virus.INFECTED
    assert verdict.name == ("Evilb" + "n" * 300)[:100]


async def test_more_than_may_wait_is_unavailable_at_once(tmp_path: Path) -> None:
    verdict = await Clamd(str(tmp_path / "nobody.sock"), waiting=0).scan(b"x")
    assert verdict.reason == "busy"


@pytest.mark.parametrize(
    "address", ["", "clamd.example:3310", "192.0.2.1:3310", "127.0.0.1", "127.0.0.1:0", "relative.sock"]
)
def test_mail_in_clear_never_goes_to_another_machine(address: str) -> None:
    with pytest.raises(ConfigError, match="clamd"):
        Clamd(address)
