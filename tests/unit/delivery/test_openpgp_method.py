"""OpenPGP as a method: one recipient's copy, judged by the clock of that moment, DKIM over what leaves (HS-38)."""

from collections.abc import Iterator

import pytest

from carepost.crypto import dkim
from carepost.crypto.openpgp import keys, library, message, packets
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.delivery.methods import openpgp, tls
from carepost.delivery.methods.tls import Preparer, Unready
from carepost.directory.types import DkimKey, OrgSnapshot, SenderDomain
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance, Method
from carepost.rfc import lines
from carepost.rfc import message as rfc_message
from tests.support.openpgp import DAY, JANE, NURSE, key, letter, now

pytestmark = pytest.mark.fast

ORG = b"willow-clinic-00"
KEYS = PurposeKeys.ephemeral()


@pytest.fixture(scope="module")
def jane() -> PrivateKey:
    return key(JANE)


@pytest.fixture(scope="module")
def nurse() -> PrivateKey:
    return key(NURSE)


@pytest.fixture
def _clock() -> Iterator[None]:
    yield
    clock.set_source(None)


def snapshot() -> OrgSnapshot:
    private, _ = dkim.generate(dkim.ED25519)
    wrapped = KEYS.wrap("dkim", private, b"dkim|" + ORG + b"|clinic.test|one")
    return OrgSnapshot(
        id=ORG, name="W", epoch=1, policy_version="1", notice_name="W", phone="", auditor="", portal_url="",
        portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), routes=(), keys={},
        domains=(SenderDomain("clinic.test", (DkimKey("one", dkim.ED25519, wrapped),)),),
    )  # fmt: skip


def test_what_leaves_is_sealed_and_signed_by_dkim_last(jane: PrivateKey, nurse: PrivateKey) -> None:
    raw = letter().replace(b"Subject:", b"Bcc: secret@home.test\r\nX-Carepost-Trigger: secret\r\nSubject:")
    made = openpgp.Sealer(Preparer(KEYS)).prepare(
        b"d", raw, snapshot(), address=JANE, key=jane.certificate.raw, signer=nurse
    )
    lines.check(made.data)
    assert made.data.startswith(b"DKIM-Signature:")
    assert made.body_hash == dkim.body_hash_relaxed(made.data)
    assert b"All is well" not in made.data
    assert b"secret" not in made.data
    assert rfc_message.read(made.data).subject == "[...]"
    opened = message.open_(made.data, [jane], [nurse.certificate], at=now())
    assert opened.verdict.valid
    assert b"secret" not in opened.message
    sealed = openpgp.seal(made, floor=Assurance.ENCRYPTED, sender=NURSE, recipient=JANE, utf8=False)
    assert (sealed.method, sealed.recipient, sealed.eightbit) == (Method.OPENPGP, JANE, False)


def test_the_clear_bytes_of_tls_and_the_sealed_ones_never_change_places(jane: PrivateKey) -> None:
    """The preparer remembers messages by their id: one message goes to several recipients by several methods."""
    preparer = Preparer(KEYS)
    sealer, about = openpgp.Sealer(preparer), snapshot()
    for _ in range(2):
        clear = preparer.prepare(b"m", letter(), about)
        sealed = sealer.prepare(b"m", letter(), about, address=JANE, key=jane.certificate.raw)
        assert b"All is well" in clear.data
        assert b"All is well" not in sealed.data


def test_nobody_but_its_recipient_is_named_in_it(jane: PrivateKey, nurse: PrivateKey) -> None:
    """Standards 3.4: one that is for many, blind ones among them, is made for each alone; nor its sender's key."""
    sealer, about = openpgp.Sealer(Preparer(KEYS)), snapshot()
    for owner, address in ((jane, JANE), (nurse, NURSE), (jane, JANE)):
        made = sealer.prepare(b"m", letter(), about, address=address, key=owner.certificate.raw, signer=nurse).data
        block = made[made.index(b"-----BEGIN PGP MESSAGE") :].partition(b"\r\n--=_")[0]
        named, _ = library.addressed(packets.unwrap(block, packets.MESSAGE, most=99_999))
        mine = {name for one in owner.certificate.keys if one.encrypts for name in (one.key_id, one.fingerprint)}
        assert len(named) == 1 and set(named) <= mine


@pytest.mark.usefixtures("_clock")
def test_a_certificate_is_judged_at_each_sealing() -> None:
    """BI-071: planned while it was good, expired when the message is due."""
    short = key(JANE, life=3600)
    sealer, about = openpgp.Sealer(Preparer(KEYS)), snapshot()
    raw = short.certificate.raw
    assert sealer.prepare(b"d", letter(), about, address=JANE, key=raw).data
    end = short.certificate.expires or 0
    assert openpgp.why_not(raw, JANE, now()) == ""
    assert openpgp.why_not(raw, JANE, end) == "openpgp-expired"
    clock.set_source(lambda: end)
    with pytest.raises(Unready, match=r"^openpgp-expired$"):
        sealer.prepare(b"d", letter(), about, address=JANE, key=raw)


def test_bi_071_nothing_is_made_for_a_certificate_that_must_not_be_used(jane: PrivateKey, nurse: PrivateKey) -> None:
    sealer, about = openpgp.Sealer(Preparer(KEYS)), snapshot()
    for known, reason in (
        (nurse.certificate.raw, "openpgp-other-address"),
        (keys.revoke(jane).raw, "openpgp-revoked"),
        (b"nothing", "openpgp-unreadable"),
        (jane.raw, "openpgp-unreadable"),
    ):
        with pytest.raises(Unready) as error:
            sealer.prepare(b"d", letter(), about, address=JANE, key=known)
        assert str(error.value) == reason
        assert reason in openpgp.REASONS


def test_the_signer_must_be_the_sender(jane: PrivateKey, nurse: PrivateKey) -> None:
    sealer, about = openpgp.Sealer(Preparer(KEYS)), snapshot()
    with pytest.raises(Unready, match=r"^openpgp-signer$"):
        sealer.prepare(b"d", letter(), about, address=JANE, key=jane.certificate.raw, signer=jane)


@pytest.mark.usefixtures("_clock")
def test_a_dead_signing_key_does_not_sign(jane: PrivateKey) -> None:
    short = key(NURSE, life=3600)
    clock.set_source(lambda: (short.certificate.expires or 0) + DAY)
    with pytest.raises(Unready, match=r"^openpgp-signer$"):
        openpgp.Sealer(Preparer(KEYS)).prepare(
            b"d", letter(), snapshot(), address=JANE, key=jane.certificate.raw, signer=short
        )


def test_an_envelope_no_server_must_see_is_unready(jane: PrivateKey) -> None:
    made = tls.Prepared(b"x\r\n", b"")
    with pytest.raises(Unready):
        openpgp.seal(made, floor=1, sender=NURSE, recipient="a\r\nb", utf8=False)


def test_certificates_kept_read_are_bounded(jane: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpgp, "KEPT", 2)
    sealer, about = openpgp.Sealer(Preparer(KEYS)), snapshot()
    for number in range(4):
        name = f"p{number}@home.test"
        sealer.prepare(b"d", letter(), about, address=name, key=key(name).certificate.raw)
    assert len(sealer._read) == 2
