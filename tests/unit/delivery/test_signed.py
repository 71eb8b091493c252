"""What leaves is signed by the sender's or the organisation's key, and what comes is opened with theirs.

openssl, gpgsm, gpg and sq agree."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from carepost.crypto.openpgp import keys as pgp_keys
from carepost.crypto.openpgp import message as pgp
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import identity, message
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.signing import Signer
from carepost.delivery.methods.keyed import Keyed
from carepost.delivery.methods.tls import Preparer
from carepost.directory import columns
from carepost.directory.ownkeys import OwnSecret, StaticOwnSecrets
from carepost.directory.recipients import PackedKeys, StaticCertificates
from carepost.directory.types import KEY_PLACE, KeptKey, OrgSnapshot, OwnKept, OwnKey, RecipientKey, SenderDomain
from carepost.ground import clock, ids
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.keys import Keys
from carepost.intake.opening import INVALID, UNKNOWN, UNSIGNED, VALID, Opener
from carepost.intake.ownkeys import OwnKeys
from carepost.policy.types import Assurance, Method
from carepost.queue.sealing import EVIDENCE, KeyBook
from tests.support.openpgp import Gpg, sq
from tests.support.smime import ADDRESS, DAY, Files, gpgsm, old_p12, openssl

pytestmark = pytest.mark.peers

ORG = b"willow-clinic-00"
PAT, OFFICE = "pat@home.test", "office@clinic.test"
PURPOSES = PurposeKeys.ephemeral()
ORG_KEYS = OrgKeys(PURPOSES)
WRAPPED = {purpose: (1, ORG_KEYS.new(ORG, purpose)) for purpose in ("evidence", "index")}
TOKENS = Tokens(ORG_KEYS)
#: text with octets over 127, trailing blanks and a line that begins with From: what a way changes
LETTER = (
    b"From: Nurse Example <nurse@clinic.test>\r\nTo: Pat Example <pat@home.test>\r\nSubject: Canary results\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@clinic.test>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"From the lab:  \r\nThe canary is well \xc3\xa9.\r\n"
)


class Clinic:
    """An organisation with own keys, certificates of others, and an engine's doors over both."""

    def __init__(self) -> None:
        self.secrets, self.store = StaticOwnSecrets(), StaticCertificates()
        self.own: dict[bytes, tuple[OwnKey, ...]] = {}
        self.known: list[tuple[bytes, RecipientKey]] = []
        self.book = KeyBook(ORG_KEYS, lambda _org, purpose, _version: WRAPPED[purpose])
        self.keys = OwnKeys(TOKENS, self.secrets)
        self.keyed = Keyed(
            Preparer(PURPOSES), self.book, Keys(TOKENS), self.store, aside=Preparer(PURPOSES), own=self.keys
        )
        self.opener = Opener(self.keys, TOKENS, self.book, self.store)

    @property
    def snapshot(self) -> OrgSnapshot:
        return OrgSnapshot(
            id=ORG, name="W", epoch=1, policy_version="1", notice_name="W", phone="", auditor="", portal_url="",
            portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), routes=(), keys=WRAPPED,
            domains=(SenderDomain("clinic.test"),), recipient_keys=PackedKeys(self.known), own_keys=self.own,
        )  # fmt: skip

    def token(self, address: str) -> bytes:
        found = TOKENS.of(self.snapshot, address)
        assert found is not None
        return found[0]

    def has(self, one: Identity | PrivateKey, *, address: str = "", **more: Any) -> OwnKey:
        """`address` "": the organisation's."""
        method = Method.SMIME if isinstance(one, Identity) else Method.OPENPGP
        row = OwnKey(
            ids.text(ids.new()), method, more.get("signs", True), True, more.get("always", False),
            more.get("retired", False), more.get("until", 0), more.get("not_after", 0),
        )  # fmt: skip
        if isinstance(one, Identity):
            kept = OwnKept(address, "", one.certificate.der, one.certificate.fingerprint, one.chain)
            self.secrets.given[row.id] = OwnSecret(kept, identity.private_bytes(one.key))
        else:
            kept = OwnKept(address, "", one.certificate.raw, one.certificate.fingerprint)
            self.secrets.given[row.id] = OwnSecret(kept, one.raw)
        token = self.token(address) if address else b""
        self.own[token] = (row, *self.own.get(token, ()))
        return row

    def knows(self, address: str, one: Identity | PrivateKey) -> None:
        """An administrator vouches for this certificate."""
        smime = isinstance(one, Identity)
        row = RecipientKey(ids.text(ids.new()), Method.SMIME if smime else Method.OPENPGP, True, False, 0)
        raw = one.certificate.der if isinstance(one, Identity) else one.certificate.raw
        key = ORG_KEYS.open(ORG, EVIDENCE, 1, WRAPPED[EVIDENCE][1])
        kept = msgspec.msgpack.encode(KeptKey(address, raw, one.certificate.fingerprint))
        self.store.given[row.id] = columns.seal(key, 1, ORG, kept, f"{KEY_PLACE}/{row.id}")
        self.known.append((self.token(address), row))

    async def sent(self, method: Method, body: bytes = LETTER) -> bytes:
        made = await self.keyed.prepare(method, ids.new(), body, self.snapshot, address=PAT, header_from=ADDRESS)
        return made.data


def person(address: str, kind: str = "ec-p256") -> Identity:
    return identity.self_signed(identity.generate(kind), address, clock.now() - DAY, days=9, name="Nurse Example")


def keyholder(address: str) -> PrivateKey:
    return pgp_keys.generate([("Nurse Example", address)])


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    made = Clinic()
    yield made
    made.keyed.close()


def pem(one: Identity, folder: Path) -> Path:
    path = folder / "anchor.pem"
    path.write_bytes(x509.load_der_x509_certificate(one.certificate.der).public_bytes(Encoding.PEM))
    return path


def headers(message_: bytes) -> bytes:
    return message_[: message_.index(b"\r\n\r\n")]


@pytest.mark.parametrize("kind", ["ec-p256", "rsa-3072"])
async def test_signed_then_encrypted_openssl_decrypts_and_verifies(clinic: Clinic, tmp_path: Path, kind: str) -> None:
    nurse, pat = person(ADDRESS, kind), person(PAT, "rsa-3072")
    clinic.has(nurse, address=ADDRESS)
    clinic.knows(PAT, pat)
    sent = await clinic.sent(Method.SMIME)
    assert b"Canary" not in sent and b"\r\nSender:" not in headers(sent)
    files = Files(tmp_path, pat)
    (tmp_path / "message").write_bytes(sent)
    inner = openssl(
        "cms", "-decrypt", "-binary", "-in", tmp_path / "message", "-recip", files.certificate, "-inkey", files.key
    )
    (tmp_path / "inner").write_bytes(inner)
    said = openssl("cms", "-verify", "-in", tmp_path / "inner", "-CAfile", pem(nurse, tmp_path), "-purpose", "any")
    assert "The canary is well é." in said.decode() and b"Subject: Canary results" in said


async def test_the_organisations_key_says_whose_it_is(clinic: Clinic, tmp_path: Path) -> None:
    """RFC 8550 3: the address of the certificate stands in Sender, where it is not the From."""
    office, pat = person(OFFICE), person(PAT)
    clinic.has(office)
    clinic.knows(PAT, pat)
    sent = await clinic.sent(Method.SMIME)
    assert headers(sent).startswith(b"Sender: office@clinic.test\r\n")
    own = person(ADDRESS)
    clinic.has(own, address=ADDRESS)
    again = await clinic.sent(Method.SMIME)
    assert b"Sender:" not in headers(again), "who has a key of their own signs with it"


async def test_gpgsm_verifies_a_clear_signed_message(clinic: Clinic, tmp_path: Path) -> None:
    nurse = person(ADDRESS, "rsa-3072")
    clinic.has(nurse, address=ADDRESS, always=True)
    body, _ = await clinic.keyed.signed(ids.new(), LETTER, clinic.snapshot, ADDRESS)
    assert headers(body).count(b"multipart/signed") == 1 and b"Subject: Canary results" in headers(body)
    content, signature = halves(body)
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "content").write_bytes(content)
    assert content.isascii() and b" \r\n" not in content
    with gpgsm(tmp_path / "home", clock.now()) as peer:
        peer.run("--import", data=x509.load_der_x509_certificate(nurse.certificate.der).public_bytes(Encoding.PEM))
        fingerprint = x509.load_der_x509_certificate(nurse.certificate.der).fingerprint(sha1())
        (tmp_path / "home" / "trustlist.txt").write_text(fingerprint.hex().upper() + " S relax\n")
        peer.run("--disable-crl-checks", "--verify", tmp_path / "signature", tmp_path / "content")
        (tmp_path / "content").write_bytes(content.replace(b"canary", b"parrot"))
        peer.run("--disable-crl-checks", "--verify", tmp_path / "signature", tmp_path / "content", fails=True)


def sha1() -> Any:
    return hashes.SHA1()  # how gpgsm names a certificate


def halves(signed: bytes) -> tuple[bytes, bytes]:
    mark = re.search(rb'boundary="([^"]+)"', signed)
    assert mark is not None
    parts = signed.split(b"\r\n--" + mark[1])
    content, signature = parts[1][2:], parts[2].split(b"\r\n\r\n", 1)[1]
    return content, base64.b64decode(signature) if b"-----" not in signature else signature


async def test_openssl_verifies_a_clear_signed_message_and_two_recipients_get_one_signature(
    clinic: Clinic, tmp_path: Path
) -> None:
    nurse = person(ADDRESS)
    clinic.has(nurse, address=ADDRESS, always=True)
    name = ids.new()
    body, key = await clinic.keyed.signed(name, LETTER, clinic.snapshot, ADDRESS)
    again, _ = await clinic.keyed.signed(name, LETTER, clinic.snapshot, ADDRESS)
    assert again is body and key == clinic.own[clinic.token(ADDRESS)][0].id
    (tmp_path / "message").write_bytes(body)
    said = openssl("cms", "-verify", "-in", tmp_path / "message", "-CAfile", pem(nurse, tmp_path), "-purpose", "any")
    assert b"The canary is well" in said
    large = LETTER + b"A line of an attachment.\r\n" * 20_000
    signed, _ = await clinic.keyed.signed(ids.new(), large, clinic.snapshot, ADDRESS)
    (tmp_path / "message").write_bytes(signed)
    openssl("cms", "-verify", "-in", tmp_path / "message", "-CAfile", pem(nurse, tmp_path), "-purpose", "any")


async def test_nothing_is_signed_in_clear_unless_the_key_says_so_nor_signed_twice(clinic: Clinic) -> None:
    nurse = person(ADDRESS)
    assert await clinic.keyed.signed(ids.new(), LETTER, clinic.snapshot, ADDRESS) == (LETTER, "")
    row = clinic.has(nurse, address=ADDRESS)
    assert await clinic.keyed.signed(ids.new(), LETTER, clinic.snapshot, ADDRESS) == (LETTER, "")
    clinic.own[clinic.token(ADDRESS)] = (msgspec.structs.replace(row, always=True),)
    theirs = message.sign(LETTER, Signer(nurse), clock.now())
    assert await clinic.keyed.signed(ids.new(), theirs, clinic.snapshot, ADDRESS) == (theirs, "")
    assert await clinic.keyed.signed(ids.new(), LETTER, clinic.snapshot, "eve@elsewhere.test") == (LETTER, "")


def block(sent: bytes) -> bytes:
    return sent[sent.index(b"-----BEGIN PGP MESSAGE") : sent.index(b"-----END PGP MESSAGE-----") + 27]


async def test_gnupg_opens_and_verifies_what_is_signed_by_openpgp(clinic: Clinic) -> None:
    nurse, peer = keyholder(ADDRESS), Gpg()
    try:
        peer.make(PAT, "Key-Type: eddsa", "Key-Curve: ed25519", "Subkey-Type: ecdh", "Subkey-Curve: cv25519")
        pat = pgp_keys.bring_in(peer.secret(PAT))
        clinic.has(nurse, address=ADDRESS)
        clinic.knows(PAT, pat)
        sent = await clinic.sent(Method.OPENPGP)
        assert b"Canary" not in sent
        peer.run("--import", data=pgp_keys.armored(nurse.certificate))
        said = peer.all("--status-fd", "2", "--decrypt", data=block(sent))
        assert b"GOODSIG" in said.stderr and "The canary is well é.".encode() in said.stdout, said.stderr
    finally:
        peer.close()


async def test_sq_opens_and_verifies_what_is_signed_by_openpgp(clinic: Clinic, tmp_path: Path) -> None:
    nurse = keyholder(ADDRESS)
    key, signer = tmp_path / "pat", tmp_path / "nurse"
    assert sq("key", "generate", "-u", f"<{PAT}>", "--export", str(key)).returncode == 0
    clinic.has(nurse, address=ADDRESS)
    clinic.knows(PAT, pgp_keys.bring_in(key.read_bytes()))
    sent = await clinic.sent(Method.OPENPGP)
    signer.write_bytes(pgp_keys.armored(nurse.certificate))
    done = sq("decrypt", "--recipient-key", str(key), "--signer-cert", str(signer), data=block(sent))
    assert done.returncode == 0 and b"The canary is well" in done.stdout, done.stderr
    assert b"1 good signature" in done.stderr


async def test_gnupg_verifies_what_is_clear_signed_by_openpgp(clinic: Clinic, tmp_path: Path) -> None:
    office = keyholder(OFFICE)
    clinic.has(office, always=True)
    body, _ = await clinic.keyed.signed(ids.new(), LETTER, clinic.snapshot, ADDRESS)
    assert b"Sender: office@clinic.test\r\n" in headers(body)
    content, signature = halves(body)
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "signature").write_bytes(signature)
    peer = Gpg()
    try:
        peer.run("--import", data=pgp_keys.armored(office.certificate))
        peer.run("--verify", str(tmp_path / "signature"), str(tmp_path / "content"))
    finally:
        peer.close()


def opened(clinic: Clinic, raw: bytes, recipient: str = ADDRESS) -> Any:
    return clinic.opener.open_(clinic.snapshot, raw, [recipient], clock.now())


def letter_in(sender: str = PAT) -> bytes:
    return LETTER.replace(b"nurse@clinic.test", b"x@x.test").replace(b"pat@home.test", ADDRESS.encode()).replace(
        b"x@x.test", sender.encode()
    )  # fmt: skip


def test_what_comes_by_smime_is_opened_and_judged_by_what_is_known_of_the_sender(clinic: Clinic) -> None:
    nurse, office, pat = person(ADDRESS), person(OFFICE, "rsa-3072"), person(PAT)
    own, shared = clinic.has(nurse, address=ADDRESS), clinic.has(office)
    for recipient, key in ((nurse, own), (office, shared)):
        raw = message.encrypt(letter_in(), [Recipient(recipient.certificate)], clock.now(), signer=Signer(pat))
        found = opened(clinic, raw)
        assert (found.method, found.encrypted, found.signature, found.key) == (Method.SMIME, True, UNKNOWN, key.id)
        assert found.reasons == ("self-signed",) or "self-signed" in found.reasons
        assert b"Subject: Canary results" in found.message and b"The canary is well" in found.message
    clinic.knows(PAT, pat)
    assert opened(clinic, raw).signature == VALID
    unsigned = message.encrypt(letter_in(), [Recipient(nurse.certificate)], clock.now())
    assert (opened(clinic, unsigned).signature, opened(clinic, unsigned).encrypted) == (UNSIGNED, True)
    clear = message.sign(letter_in(), Signer(pat), clock.now())
    assert (opened(clinic, clear).signature, opened(clinic, clear).encrypted) == (VALID, False)
    changed = clear.replace(b"canary", b"parrot")
    assert changed != clear and opened(clinic, changed).signature == INVALID


def test_a_signature_of_another_than_the_sender_is_not_believed(clinic: Clinic) -> None:
    nurse, pat = person(ADDRESS), person(PAT)
    clinic.has(nurse, address=ADDRESS)
    clinic.knows(PAT, pat)
    raw = message.encrypt(letter_in("eve@home.test"), [Recipient(nurse.certificate)], clock.now(), signer=Signer(pat))
    assert opened(clinic, raw).signature == INVALID


def test_what_does_not_open_stays_as_it_came_and_says_why(clinic: Clinic) -> None:
    nurse, stranger = person(ADDRESS), person("kai@clinic.test")
    row = clinic.has(nurse, address=ADDRESS)
    raw = message.encrypt(letter_in(), [Recipient(stranger.certificate)], clock.now())
    found = opened(clinic, raw)
    assert (found.fault, found.message, found.encrypted) == ("no-key", raw, True)
    assert opened(clinic, letter_in()) is None, "neither signed nor encrypted"
    mine = message.encrypt(letter_in(), [Recipient(nurse.certificate)], clock.now())
    assert opened(clinic, mine, "kai@clinic.test").fault == "no-key", "another address's key opens nothing for it"
    retired = msgspec.structs.replace(row, retired=True, until=clock.now() + DAY)
    clinic.own[clinic.token(ADDRESS)] = (retired,)
    assert opened(clinic, mine).fault == "", "rotated away, and still in its time"
    clinic.own[clinic.token(ADDRESS)] = (msgspec.structs.replace(retired, until=clock.now() - 1),)
    assert opened(clinic, mine).fault == "no-key"


def test_what_comes_by_openpgp_is_opened_and_judged(clinic: Clinic) -> None:
    nurse, pat = keyholder(ADDRESS), keyholder(PAT)
    own = clinic.has(nurse, address=ADDRESS)
    at = clock.now()
    raw = pgp.seal(letter_in(), [(ADDRESS, nurse.certificate)], at=at, signer=pgp_keys.signer(pat, PAT, at))
    found = opened(clinic, raw)
    assert (found.method, found.encrypted, found.signature, found.key) == (Method.OPENPGP, True, UNKNOWN, own.id)
    clinic.knows(PAT, pat)
    found = opened(clinic, raw)
    assert found.signature == VALID and found.signer == pat.certificate.fingerprint
    assert b"The canary is well" in found.message
    other = keyholder("kai@clinic.test")
    closed = pgp.seal(letter_in(), [("kai@clinic.test", other.certificate)], at=at)
    assert opened(clinic, closed).fault == "cannot-open" and opened(clinic, closed).message == closed


def test_old_software_with_a_pkcs12_of_ours_opens_it(clinic: Clinic, tmp_path: Path) -> None:
    """What we make can be taken elsewhere by the organisation."""
    one = person(ADDRESS, "rsa-3072")
    with gpgsm(tmp_path / "home", clock.now()) as peer:
        peer.run("--import", data=old_p12(one))
        raw = message.encrypt(letter_in(), [Recipient(one.certificate)], clock.now(), gcm=False)
        der = base64.b64decode(raw.split(b"\r\n\r\n", 1)[1])
        assert b"The canary is well" in peer.run("--decrypt", data=der)
