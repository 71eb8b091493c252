"""Keys that people send along: taken from a signature that counts and a header, of mail whose sender is proved; never
from anything less, and never on the way to the 250."""

from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.openpgp import autocrypt, keys
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.identity import Identity
from carepost.ground import clock
from carepost.intake import harvest
from carepost.intake.orgkeys import DirectoryKeys
from carepost.proof import event, kinds
from carepost.queue.sealing import Opener
from carepost.wire import found as wire
from carepost.wire.found import DEFAULT, SOURCES, Found
from tests.support import smime as peers
from tests.support.smime import Authority, openssl
from tests.unit.intake.office import CLINIC, Office
from tests.unit.intake.test_conversations import NURSE, ZONE, Desk, came, mail, signed

DAY = 86_400_000_000
NOW = clock.now()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Invented Partner CA", start=NOW - 300 * DAY, end=NOW + 900 * DAY)


def person(authority: Authority, address: str = NURSE, **more: Any) -> Identity:
    return authority.issue(
        more.pop("kind", "rsa-2048"), address, **{"start": NOW - DAY, "end": NOW + 300 * DAY, **more}
    )


def cms(folder: Path, one: Identity, authority: Authority, raw: bytes, *more: str) -> bytes:
    """Signed by `openssl cms`, in the open, the header put around it as a mail program does."""
    files = peers.Files(folder, one, authority)
    head, _, text = raw.partition(b"\r\n\r\n")
    made = openssl(
        "cms", "-sign", "-signer", files.certificate, "-inkey", files.key, "-md", "sha256", "-crlfeol", *more,
        data=b"Content-Type: text/plain\r\n\r\n" + text,
    )  # fmt: skip
    return head + b"\r\n" + made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def looked(raw: bytes, authority: Authority | None, *, header: bool = False) -> list[Found]:
    store = TrustStore([authority.der]) if authority is not None else None
    return harvest.read(raw, store, header, clock.now())


def test_the_certificate_of_a_signature_that_counts_is_taken(authority: Authority, tmp_path: Path) -> None:
    """Peer: openssl cms."""
    one = person(authority)
    (found,) = looked(cms(tmp_path, one, authority, mail()), authority)
    assert (found.address, found.method, found.source) == (NURSE, "smime", "signed-mail")
    assert (found.raw, found.vouched) == (one.certificate.der, False)
    assert {"aes256-cbc"} & set(found.capabilities)


def test_its_issuers_come_along(authority: Authority, tmp_path: Path) -> None:
    between = Authority("Between", authority, start=NOW - 100 * DAY, end=NOW + 400 * DAY)
    one = person(between)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(between.certificate.public_bytes(peers.serialization.Encoding.PEM))
    (found,) = looked(cms(tmp_path, one, authority, mail(), "-certfile", str(chain)), authority)
    assert found.chain == (between.der,)
    assert looked(cms(tmp_path, one, authority, mail()), authority) == [], "no way to the anchor is known"


@pytest.mark.parametrize("case", ["stranger", "self", "other", "expired", "sign-only", "tampered", "two-from", "part"])
def test_bi_071_bi_074_anything_less_is_not_taken(authority: Authority, tmp_path: Path, case: str) -> None:
    one, raw = person(authority), mail()
    if case == "stranger":
        one = person(Authority("Nobody's CA", start=NOW - DAY, end=NOW + DAY))
    elif case == "other":
        one = person(authority, "other@clinic.test")
    elif case == "expired":
        one = person(authority, start=NOW - 20 * DAY, end=NOW - DAY)
    elif case == "sign-only":
        one = person(authority, usage=("digital_signature",))
    made = cms(tmp_path, one, authority, raw)
    if case == "tampered":
        made = made.replace(b"Quillfeather is well", b"Quillfeather is sick")
    elif case == "two-from":
        made = made.replace(b"From: Nurse Quill <nurse@clinic.test>", b"From: nurse@clinic.test, eve@evil.test")
    elif case == "part":
        head, _, rest = made.partition(b"MIME-Version: 1.0\r\n")
        made = head + (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n--outer\r\n' + rest
            + b"\r\n--outer\r\nContent-Type: text/plain\r\n\r\nnot signed\r\n--outer--\r\n"
        )  # fmt: skip
    believed = None if case == "self" else authority
    assert looked(made, believed) == []


def test_an_autocrypt_header_is_taken_where_it_is_the_senders_own() -> None:
    key = keys.generate([("Nurse Quill", NURSE)]).certificate
    field = autocrypt.field(NURSE, key)
    (found,) = looked(field + mail(), None, header=True)
    assert (found.address, found.method, found.source, found.fingerprint) == (
        NURSE, "openpgp", "autocrypt", key.fingerprint,
    )  # fmt: skip
    assert looked(field + mail(), None) == []
    assert looked(field + mail(sender="eve@clinic.test"), None, header=True) == []
    assert looked(field + field + mail(), None, header=True) == [], "two headers are none (Autocrypt 2.1)"


class _Desk(Desk):
    async def told(self) -> list[Found]:
        await self.intake.close()
        opener = Opener(DirectoryKeys(self.office.directory, self.office.purposes))
        rows = (await self.office.queue.drain(0, 0))[0]
        return [
            wire.decode(opener.personal(row)["key"][1]) for row in rows if event.read(row.event).kind == kinds.KEY_FOUND
        ]


@pytest.mark.parametrize("sources", [DEFAULT, SOURCES, ()], ids=["default", "all", "none"])
async def test_an_answer_that_is_taken_brings_its_keys_along(
    office: Office, authority: Authority, tmp_path: Path, sources: tuple[str, ...]
) -> None:
    """Autocrypt is off by default; nothing is looked at where the organisation wants nothing."""
    office.change(CLINIC, key_sources=sources, anchors=(authority.der,))
    office.directory.poll()
    desk = _Desk(office, ZONE)
    field = autocrypt.field(NURSE, keys.generate([("Nurse Quill", NURSE)]).certificate)
    raw = signed(field + cms(tmp_path, person(authority), authority, mail()))
    await desk.intake.accept(came(raw))
    told = await desk.told()
    wanted = {"signed-mail": "signed-mail" in sources, "autocrypt": "autocrypt" in sources}
    assert {one.source for one in told} == {name for name, on in wanted.items() if on}


async def test_mail_that_dmarc_does_not_prove_brings_nothing(
    office: Office, authority: Authority, tmp_path: Path
) -> None:
    """BI-072: whoever can write any From must not place a key."""
    office.change(CLINIC, key_sources=SOURCES, anchors=(authority.der,))
    office.directory.poll()
    desk = _Desk(office, ZONE)
    snapshot = office.directory.snapshot(CLINIC)
    raw = cms(tmp_path, person(authority), authority, mail())
    for word in ("fail", "none", "temperror", "permerror"):
        desk.intake.harvest.offer(snapshot, raw, word)
    desk.intake.harvest.offer(snapshot, raw + b"x" * 5_000_000, "pass")
    assert await desk.told() == []
    desk.intake.harvest.offer(snapshot, raw, "pass")
    (found,) = await desk.told()
    assert found.address == NURSE
    # the same again on the same day is no news
    desk.intake.harvest.offer(snapshot, raw, "pass")
    assert len(await desk.told()) == 1
