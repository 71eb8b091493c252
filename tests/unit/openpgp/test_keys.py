"""Keys of the organisation: made, brought in with and without a passphrase, given out, rotated, revoked."""

import pysequoia
import pytest

from carepost.crypto.openpgp import cipher, keypackets, keys, message, packets, secret, usable
from carepost.crypto.openpgp.errors import Malformed, Unusable
from carepost.crypto.openpgp.secret import PrivateKey, WrongPassphrase
from carepost.rfc.errors import AddressError
from tests.support.openpgp import DAY, JANE, NURSE, Gpg, key, letter, now


@pytest.mark.parametrize("suite", ["curve25519", "p256", "p384"])
def test_each_kind_signs_and_opens(suite: str) -> None:
    made = key(NURSE, "Ward Seven", suite=suite)
    assert made.certificate.addresses == (NURSE,)
    assert made.certificate.expires is not None
    sealed = message.seal(letter(), [(NURSE, made.certificate)], at=now(), signer=keys.signer(made, NURSE, now()))
    opened = message.open_(sealed, [secret.load(made.raw)], [made.certificate], at=now())
    assert opened.verdict.valid


@pytest.mark.parametrize("how", [{"suite": "rsa1024"}, {"life": 1}, {"life": 10**12}])
def test_what_is_not_offered_is_not_made(how: dict[str, object]) -> None:
    with pytest.raises(Unusable):
        key(NURSE, **how)


def test_names_and_addresses_become_one_user_id_each() -> None:
    made = keys.generate([("Ward Séven", NURSE), ("Trick <x@evil.test>", JANE)])
    assert set(made.certificate.user_ids) == {f"Ward Séven <{NURSE}>", JANE}
    for name, address in (("a\nb", NURSE), ("", "no address")):
        with pytest.raises(AddressError):
            key(address, name)


def test_what_is_secret_is_in_no_text_of_it(nurse: PrivateKey) -> None:
    shown = repr(nurse) + repr(nurse.secrets) + repr(nurse.certificate)
    assert NURSE not in shown
    assert all(s.material.hex() not in shown and repr(s.material) not in shown for s in nurse.secrets)


def test_given_out_and_taken_in_again(nurse: PrivateKey) -> None:
    again = keys.bring_in(keys.export(nurse))
    assert again.raw == nurse.raw
    assert pysequoia.Tsk.from_bytes(nurse.raw).extract_certificate().fingerprint == nurse.certificate.fingerprint


def test_from_gnupg_with_a_passphrase(gpg: Gpg) -> None:
    address = "locked@clinic.test"
    text = f"Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nName-Email: {address}\n"
    gpg.run("--passphrase", "correct horse", "--generate-key", data=(text + "%commit\n").encode())
    raw = gpg.run("--passphrase", "correct horse", "--export-secret-keys", address)
    with pytest.raises(WrongPassphrase):
        keys.bring_in(raw, "correct hors")
    taken = keys.bring_in(raw, "correct horse")
    sealed = gpg.run("-r", address, "--encrypt", data=b"to the ward")
    assert cipher.decrypt(sealed, [taken]).content.data == b"to the ward"
    assert keys.bring_in(taken.raw).certificate == taken.certificate


def test_a_main_key_kept_elsewhere_still_decrypts(gpg: Gpg) -> None:
    address = "offline@clinic.test"
    gpg.make(address, "Key-Type: eddsa", "Key-Curve: ed25519", "Subkey-Type: ecdh", "Subkey-Curve: cv25519")
    parts = keys.bring_in(gpg.run("--export-secret-subkeys", address))
    assert len(parts.secrets) == 1
    assert cipher.decrypt(gpg.run("-r", address, "-e", data=b"x"), [parts]).content.data == b"x"


@pytest.mark.parametrize("algorithm", [keypackets.ECDH, keypackets.EDDSA])
def test_parts_that_do_not_belong_together_are_refused(jane: PrivateKey, nurse: PrivateKey, algorithm: int) -> None:
    """Jane's certificate with the nurse's secrets under it: those to open with, or those to sign with."""
    theirs = [s.material for s in nurse.secrets if s.key.algorithm == algorithm]
    raw = b""
    for packet in packets.read(jane.raw):
        body = packet.body
        found = next((s for s in jane.secrets if body.startswith(s.key.public)), None)
        if found is not None and found.key.algorithm == algorithm:
            material = theirs.pop(0)
            body = found.key.public + b"\0" + material + (sum(material) & 0xFFFF).to_bytes(2, "big")
        raw += packets.frame(packet.tag, body)
    with pytest.raises(Unusable) as error:
        keys.bring_in(raw)
    assert error.value.code == "mismatch"


@pytest.mark.parametrize("spoil", [lambda r: r[:-7], lambda r: b"", lambda r: r + r, lambda r: b"\xc6" + r[1:]])
def test_what_is_no_private_key_is_refused(spoil: object, nurse: PrivateKey) -> None:
    with pytest.raises(Malformed):
        keys.bring_in(spoil(nurse.raw))  # type: ignore[operator]


def test_a_certificate_alone_is_no_private_key(nurse: PrivateKey) -> None:
    with pytest.raises(Malformed):
        keys.bring_in(nurse.certificate.raw)


def test_rotation_opens_the_old_and_the_new() -> None:
    old = key(NURSE, "Ward Seven")
    new = keys.rotate(old)
    assert new.certificate.fingerprint != old.certificate.fingerprint
    assert new.certificate.user_ids == old.certificate.user_ids
    for made in (old, new):
        sealed = message.seal(letter(to=NURSE), [(NURSE, made.certificate)], at=now())
        assert message.open_(sealed, [new, old], [], at=now()).by == made.certificate.fingerprint


def test_revoked_for_good_and_still_opening() -> None:
    made = key(NURSE)
    sealed = message.seal(letter(), [(NURSE, made.certificate)], at=now())
    revoked = keys.revoke(made)
    assert usable.why_not(revoked, NURSE, now()) == "revoked"
    assert message.open_(sealed, [made], [], at=now()).encrypted


def test_nobody_signs_for_another_or_with_a_dead_key(nurse: PrivateKey) -> None:
    for address, at, reason in (
        (JANE, now(), "other-address"),
        (NURSE, (nurse.certificate.expires or 0) + DAY, "expired"),
    ):
        with pytest.raises(Unusable) as error:
            keys.signer(nurse, address, at)
        assert error.value.code == reason
