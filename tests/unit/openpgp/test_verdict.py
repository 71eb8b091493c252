"""When a signature is called valid, and each way in which it is not (BI-074)."""

import datetime

import pysequoia
import pytest

from carepost.crypto.openpgp import certificate, keys, packets, verdict
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.openpgp.verdict import Verdict
from tests.support.openpgp import DAY, JANE, MALLORY, NURSE, Gpg, key, now

DATA = b"Content-Type: text/plain\r\n\r\nAll is well.\r\n"


def signed(by: PrivateKey, data: bytes = DATA) -> bytes:
    signer = pysequoia.Tsk.from_bytes(by.raw).signer()
    made = pysequoia.sign(signer, data, mode=pysequoia.SignatureMode.DETACHED, armor=False)
    return packets.read(made)[0].body


def judged(body: bytes, *known: certificate.Certificate, at: int = 0, sender: str = NURSE) -> Verdict:
    return verdict.judge(DATA, [body], known, at or now(), [sender])


def test_good_and_of_the_sender(nurse: PrivateKey) -> None:
    found = judged(signed(nurse), nurse.certificate)
    assert (found.state, found.reason, found.signer) == ("valid", "valid", nurse.certificate.fingerprint)
    assert found.addresses == (NURSE,)
    assert found.signed_at is not None
    assert abs(found.signed_at - now()) < DAY


def test_nothing_signed() -> None:
    assert verdict.judge(DATA, [], [], now(), [NURSE]) == verdict.UNSIGNED


def test_bi_074_good_but_of_another_than_from(nurse: PrivateKey) -> None:
    assert judged(signed(nurse), nurse.certificate, sender=JANE).reason == "signer-not-from"
    both = verdict.judge(DATA, [signed(nurse)], [nurse.certificate], now(), [NURSE, JANE])
    nobody = verdict.judge(DATA, [signed(nurse)], [nurse.certificate], now(), [])
    assert {both.reason, nobody.reason} == {"signer-not-from"}


def test_over_other_bytes(nurse: PrivateKey) -> None:
    assert judged(signed(nurse, DATA + b"x"), nurse.certificate).reason == "bad"


def test_by_a_key_that_is_not_known(nurse: PrivateKey, jane: PrivateKey) -> None:
    found = judged(signed(nurse), jane.certificate)
    assert (found.state, found.valid) == ("unknown-key", False)
    assert found.issuer in {k.fingerprint for k in nurse.certificate.keys}


def test_a_signature_that_names_another_as_its_maker(nurse: PrivateKey, mallory: PrivateKey) -> None:
    body = signed(mallory)
    for theirs, ours in zip(mallory.certificate.keys, nurse.certificate.keys, strict=True):
        body = body.replace(bytes.fromhex(theirs.fingerprint), bytes.fromhex(ours.fingerprint))
        body = body.replace(bytes.fromhex(theirs.key_id), bytes.fromhex(ours.key_id))
    assert judged(body, nurse.certificate, mallory.certificate).state == "invalid"


def test_by_a_key_that_was_revoked_since(nurse: PrivateKey) -> None:
    assert judged(signed(nurse), keys.revoke(nurse)).reason == "signer-revoked"


def test_by_a_key_that_has_expired_since() -> None:
    short = key(NURSE, life=3600)
    body = signed(short)
    assert judged(body, short.certificate).valid
    assert judged(body, short.certificate, at=short.certificate.expires or 0).reason == "signer-expired"


def test_by_a_key_that_had_expired_then() -> None:
    """BI-074: the owner's program signed all the same."""
    old = key(NURSE, life=None)
    body = signed(old)
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=20)
    certifier = pysequoia.Tsk.from_bytes(old.raw).certifier()
    ended = pysequoia.Cert.from_bytes(old.certificate.raw).set_expiration(past, certifier)
    assert judged(body, certificate.read(bytes(ended))).reason == "signer-expired"


def test_dated_in_the_future(nurse: PrivateKey) -> None:
    assert judged(signed(nurse), nurse.certificate, at=now() - DAY).reason == "from-the-future"


@pytest.mark.parametrize(
    ("place", "value", "reason"), [(3, 2, "weak-hash"), (3, 1, "weak-hash"), (1, 0x10, "malformed")]
)
def test_bi_068_a_kind_that_proves_nothing(nurse: PrivateKey, place: int, value: int, reason: str) -> None:
    body = bytearray(signed(nurse))
    body[place] = value
    assert judged(bytes(body), nurse.certificate).reason == reason


def test_bytes_that_are_no_signature(nurse: PrivateKey) -> None:
    for body in (b"", b"\x04", b"\x09" * 40, signed(nurse)[:20]):
        assert judged(body, nurse.certificate).reason in ("malformed", "bad")
    assert judged(b"\x03" + bytes(30), nurse.certificate).reason == "old-format"


def test_any_flipped_octet_makes_it_not_valid(nurse: PrivateKey) -> None:
    body = signed(nurse)
    hashed = 6 + int.from_bytes(body[4:6], "big")
    unhashed = range(hashed, hashed + 2 + int.from_bytes(body[hashed : hashed + 2], "big"))
    for at in range(len(body)):
        flipped = bytearray(body)
        flipped[at] ^= 0x10
        # the part that is not signed holds hints; the two octets after it are a hint, too
        if at not in unhashed and at not in (unhashed.stop, unhashed.stop + 1):
            assert not judged(bytes(flipped), nurse.certificate).valid, at


def test_of_several_the_good_one_of_the_sender_counts(nurse: PrivateKey, jane: PrivateKey, mallory: PrivateKey) -> None:
    bodies = [signed(mallory), signed(jane), signed(nurse), signed(nurse, b"other")]
    known = [jane.certificate, nurse.certificate]
    assert verdict.judge(DATA, bodies, known, now(), [NURSE]).valid
    assert verdict.judge(DATA, bodies[:2], known, now(), [NURSE]).reason == "signer-not-from"


def test_by_sha1_or_an_expired_signature_of_gnupg(gpg: Gpg) -> None:
    address = "old@clinic.test"
    gpg.make(address, "Key-Type: RSA", "Key-Length: 2048")
    known = certificate.read(gpg.public(address))
    weak = gpg.run("--digest-algo", "SHA1", "-u", address, "--detach-sign", data=DATA)
    assert judged(packets.read(weak)[0].body, known, sender=address).reason == "weak-hash"
    timed = gpg.run("--default-sig-expire", "1d", "-u", address, "--detach-sign", data=DATA)
    body = packets.read(timed)[0].body
    assert judged(body, known, sender=address).valid
    assert judged(body, known, sender=address, at=now() + 2 * DAY).reason == "signature-expired"


def test_by_an_rsa_key_below_2048(gpg: Gpg) -> None:
    """Standards 3.4: good of itself, and never believed."""
    address = "short@clinic.test"
    gpg.make(address, "Key-Type: RSA", "Key-Length: 1024")
    body = packets.read(gpg.run("--digest-algo", "SHA256", "-u", address, "--detach-sign", data=DATA))[0].body
    found = judged(body, certificate.read(gpg.public(address)), sender=address)
    assert (found.state, found.reason) == ("invalid", "weak-key")


def test_somebody_elses_certificate_that_claims_the_key_silences_nobody(nurse: PrivateKey, mallory: PrivateKey) -> None:
    """Mallory puts the nurse's signing key under a certificate of his own: her signature stays hers."""
    taken = next(k for k in nurse.certificate.keys if k.signs).packets
    mine = packets.read(next(k for k in mallory.certificate.keys if k.signs).packets)[1]
    stolen = packets.frame(packets.PUBLIC_SUBKEY, packets.read(taken)[0].body)
    thief = certificate.read(mallory.certificate.raw + stolen + packets.frame(packets.SIGNATURE, mine.body))
    body = signed(nurse)
    assert not judged(body, thief).valid
    assert not judged(body, thief, sender=MALLORY).valid
    assert judged(body, thief, nurse.certificate).signer == nurse.certificate.fingerprint


def test_signed_for_somebody_else_and_encrypted_anew_to_us(nurse: PrivateKey, jane: PrivateKey) -> None:
    """RFC 9580 5.2.3.36: who reads it is not among those it was meant for."""
    body = signed(nurse)
    area = int.from_bytes(body[4:6], "big")
    meant = bytes((22, 35, 4)) + bytes.fromhex(jane.certificate.fingerprint)
    named = body[:4] + (area + len(meant)).to_bytes(2, "big") + meant + body[6:]
    known = [nurse.certificate]
    theirs = verdict.judge(DATA, [named], known, now(), [NURSE], nurse.certificate.fingerprint)
    ours = verdict.judge(DATA, [named], known, now(), [NURSE], jane.certificate.fingerprint)
    assert (theirs.reason, ours.reason) == ("not-for-us", "bad")
