"""Which certificate may be used, for whom, when, and why not (BI-070..073, standards 3.4)."""

import datetime
import time

import pysequoia
import pytest

from carepost.crypto.openpgp import certificate, cipher, keys, library, packets, usable
from carepost.crypto.openpgp.errors import Malformed, Unusable
from carepost.crypto.openpgp.secret import PrivateKey
from tests.support.openpgp import DAY, JANE, NURSE, Gpg, key, now


def known(private: PrivateKey) -> pysequoia.Cert:
    return pysequoia.Cert.from_bytes(private.certificate.raw)


def owner(private: PrivateKey) -> pysequoia.Tsk:
    return pysequoia.Tsk.from_bytes(private.raw)


def refused(raw: bytes, address: str = JANE, at: int | None = None) -> str:
    """The reason for which it is not used; and nothing can be encrypted to it either."""
    found = certificate.read(raw)
    reason = usable.why_not(found, address, at or now())
    if reason:
        with pytest.raises(Unusable) as error:
            cipher.encrypt(b"x", [(address, found)], at or now())
        assert error.value.code == reason
        assert usable.WORDS[reason] == error.value.public
    else:
        assert b"BEGIN PGP MESSAGE" in cipher.encrypt(b"x", [(address, found)], at or now())
    return reason


def test_a_good_one_may_be_used_armored_or_not(jane: PrivateKey) -> None:
    assert refused(jane.certificate.raw) == ""
    again = certificate.read(keys.armored(jane.certificate))
    assert again == jane.certificate
    assert (again.addresses, again.version, again.revoked) == ((JANE,), 4, False)


def test_bi_071_of_another_address(jane: PrivateKey) -> None:
    assert refused(jane.certificate.raw, "june@home.test") == "other-address"
    assert refused(jane.certificate.raw, "JANE@Home.TEST") == ""


def test_bi_071_expired_at_that_time_and_not_before() -> None:
    short = key(JANE, life=3600)
    end = short.certificate.expires
    assert end is not None
    assert short.certificate.encrypts_until == end
    assert refused(short.certificate.raw, at=end - 1) == ""
    assert refused(short.certificate.raw, at=end) == "expired"


def test_bi_071_expired_in_truth_which_the_library_would_encrypt_to() -> None:
    old = key(JANE, life=None)
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=30)
    raw = bytes(known(old).set_expiration(past, owner(old).certifier()))
    assert pysequoia.encrypt(b"x", [pysequoia.Cert.from_bytes(raw)])
    assert refused(raw) == "expired"


def test_bi_071_revoked_which_the_library_would_encrypt_to(jane: PrivateKey) -> None:
    revoked = keys.revoke(jane)
    assert pysequoia.encrypt(b"x", [library.parse(revoked.raw)])
    assert refused(revoked.raw) == "revoked"


def test_bi_071_dated_in_the_future(jane: PrivateKey) -> None:
    assert refused(jane.certificate.raw, at=jane.certificate.created - DAY) == "not-yet"


def test_a_revoked_name_is_no_address(jane: PrivateKey) -> None:
    two = keys.generate([("Jane", JANE), ("Nurse", NURSE)])
    assert set(two.certificate.addresses) == {JANE, NURSE}
    user_id = next(u for u in known(two).user_ids if NURSE in str(u))
    word = known(two).revoke_user_id(user_id, owner(two).certifier())
    raw = bytes(pysequoia.Cert.from_bytes(two.certificate.raw + bytes(word)))
    assert refused(raw, NURSE) == "other-address"
    assert refused(raw, JANE) == ""


def test_a_private_key_is_not_taken_for_a_certificate(jane: PrivateKey) -> None:
    for raw in (jane.raw, keys.export(jane)):
        with pytest.raises(Malformed) as error:
            certificate.read(raw)
        assert error.value.code in ("private-key", "armor")


@pytest.mark.parametrize("raw", [b"", b"nothing", b"\x99", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\n", b"\xcd\x01a"])
def test_what_is_no_certificate_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        certificate.read(raw)


@pytest.mark.parametrize("version", [2, 3, 5, 7])
def test_a_key_of_another_version_is_refused(jane: PrivateKey, version: int) -> None:
    """Version 5 is LibrePGP's and of no standard (standards 3.4); 2 and 3 are named by MD5."""
    raw = b""
    for packet in packets.read(jane.certificate.raw):
        keyed = packet.tag in (packets.PUBLIC_KEY, packets.PUBLIC_SUBKEY)
        raw += packets.frame(packet.tag, bytes((version,)) + packet.body[1:] if keyed else packet.body)
    with pytest.raises(Malformed) as error:
        certificate.read(raw)
    assert error.value.code == "key-version"


def test_bi_073_several_in_one_are_never_one(jane: PrivateKey, nurse: PrivateKey) -> None:
    both = jane.certificate.raw + nurse.certificate.raw
    with pytest.raises(Malformed):
        certificate.read(both)
    assert [certificate.read(c) for c in certificate.split(both)] == [jane.certificate, nurse.certificate]


def test_bi_070_a_flood_of_signatures_and_names_ends_at_the_limit(jane: PrivateKey) -> None:
    raw = jane.certificate.raw
    found = packets.read(raw)
    user_id = next(p for p in found if p.tag == packets.USER_ID)
    signature = found[found.index(user_id) + 1]
    flood = raw[signature.start : signature.end] * 10_000
    for many in (raw + flood, raw + bytes(20 * 1024 * 1024), raw + b"\xcd\x05a@b.c" * 10_000):
        with pytest.raises(Malformed):
            certificate.read(many)
    with pytest.raises(Malformed) as error:
        certificate.read(raw + b"\xcd\x05a@b.c" * 200)
    assert error.value.code == "certificate-large"
    # the same one a thousand times is one
    assert certificate.read(raw + raw[signature.start : signature.end] * 1_000).addresses == (JANE,)


def forgeries(raw: bytes, count: int) -> bytes:
    """Newer signatures in the owner's name that are not the owner's, as many as you like, on the last part."""
    last = packets.read(raw)[-1].body
    made = b""
    for number in range(count):
        body = bytearray(last)
        at = body.index(b"\x05\x82") if b"\x05\x82" in body else body.index(b"\x05\x02")
        body[at + 2 : at + 6] = (now() // 1_000_000 - number).to_bytes(4, "big")
        made += packets.frame(packets.SIGNATURE, bytes(body))
    return made


def test_bi_070_forgeries_never_push_out_what_is_genuine(jane: PrivateKey) -> None:
    """A pinned certificate cannot be made useless by an update full of signatures in its owner's name."""
    raw = jane.certificate.raw
    few = usable.merge(jane.certificate, raw + forgeries(raw, 20))
    assert refused(few.raw) == ""
    with pytest.raises(Malformed) as error:
        usable.merge(jane.certificate, raw + forgeries(raw, 60))
    assert error.value.code == "certificate-large"


def test_bi_070_the_worst_certificate_is_judged_in_bounded_time() -> None:
    many = keys.generate([("", f"p{number}@home.test") for number in range(90)])
    raw = many.certificate.raw
    part = next(k for k in many.certificate.keys if k.encrypts).packets
    worst = raw + (part + forgeries(part, 35)) * 15
    begin = time.process_time()
    assert certificate.read(worst).fingerprint == many.certificate.fingerprint
    assert time.process_time() - begin < 5


def test_names_others_put_on_it_are_not_believed(jane: PrivateKey, mallory: PrivateKey) -> None:
    """A user id without its owner's signature, and one certified by somebody else."""
    stolen = packets.frame(packets.USER_ID, b"Nurse <nurse@clinic.test>")
    assert refused(jane.certificate.raw + stolen, NURSE) == "other-address"
    foreign = [p for p in packets.read(mallory.certificate.raw) if p.tag == packets.SIGNATURE][1]
    raw = jane.certificate.raw + stolen + packets.frame(packets.SIGNATURE, foreign.body)
    assert refused(raw, NURSE) == "other-address"
    own = [p for p in packets.read(jane.certificate.raw) if p.tag == packets.SIGNATURE][1]
    assert refused(jane.certificate.raw + stolen + packets.frame(packets.SIGNATURE, own.body), NURSE) == "other-address"


def test_a_subkey_of_somebody_else_is_not_encrypted_to(jane: PrivateKey, mallory: PrivateKey) -> None:
    """Mallory's encryption key under Jane's certificate, with Mallory's binding and with a copy of Jane's."""
    theirs = next(k for k in mallory.certificate.keys if k.encrypts)
    mine = packets.read(next(k for k in jane.certificate.keys if k.encrypts).packets)[1]
    stolen = packets.frame(packets.PUBLIC_SUBKEY, packets.read(theirs.packets)[0].body)
    for raw in (
        jane.certificate.raw + theirs.packets,
        jane.certificate.raw + stolen + packets.frame(packets.SIGNATURE, mine.body),
    ):
        found = certificate.read(raw)
        assert theirs.fingerprint not in {k.fingerprint for k in found.keys if k.encrypts}
        sealed = cipher.encrypt(b"for Jane", [(JANE, found)], now())
        assert cipher.decrypt(sealed, [jane]).content.data == b"for Jane"


def test_a_forged_later_expiry_is_not_believed() -> None:
    """The binding signature copied with another life in it: newer by its word, and nobody's."""
    short = key(JANE, life=3600)
    part = next(k for k in short.certificate.keys if k.encrypts)
    body = bytearray(packets.read(part.packets)[1].body)
    at = body.index(b"\x05\x89") if b"\x05\x89" in body else body.index(b"\x05\x09")
    body[at + 2 : at + 6] = (10 * 365 * 86_400).to_bytes(4, "big")
    raw = short.certificate.raw + packets.frame(packets.SIGNATURE, bytes(body))
    found = next(k for k in certificate.read(raw).keys if k.fingerprint == part.fingerprint)
    assert found.expires == part.expires


def test_a_subkey_revoked_in_its_owners_name_is_left_out(gpg: Gpg) -> None:
    address = "revoked-part@home.test"
    gpg.make(address, "Key-Type: eddsa", "Key-Curve: ed25519", "Subkey-Type: ecdh", "Subkey-Curve: cv25519")
    fingerprint = certificate.read(gpg.public(address)).fingerprint
    assert refused(gpg.public(address), address) == ""
    script = b"key 1\nrevkey\ny\n0\n\ny\nsave\n"
    gpg.run("--command-fd", "0", "--no-batch", "--yes", "--edit-key", fingerprint, data=script, code=None)
    assert refused(gpg.public(address), address) == "revoked"


def test_bi_071_rsa_1024_dsa_sha1_and_sign_only(gpg: Gpg) -> None:
    gpg.make("weak@home.test", "Key-Type: RSA", "Key-Length: 1024", "Subkey-Type: RSA", "Subkey-Length: 1024")
    assert refused(gpg.public("weak@home.test"), "weak@home.test") in (
        "weak-key",
        "weak-signature",
        "no-encryption-key",
    )
    gpg.make(
        "half@home.test",
        "Key-Type: RSA",
        "Key-Length: 2048",
        "Key-Usage: sign",
        "Subkey-Type: RSA",
        "Subkey-Length: 1024",
    )
    assert refused(gpg.public("half@home.test"), "half@home.test") in ("weak-key", "no-encryption-key")
    gpg.make("dsa@home.test", "Key-Type: DSA", "Key-Length: 1024", "Subkey-Type: ELG-E", "Subkey-Length: 1024")
    assert refused(gpg.public("dsa@home.test"), "dsa@home.test") != ""
    gpg.make("sign@home.test", "Key-Type: eddsa", "Key-Curve: ed25519", "Key-Usage: sign")
    assert refused(gpg.public("sign@home.test"), "sign@home.test") == "no-encryption-key"
    sha1 = ("--cert-digest-algo", "SHA1", "--digest-algo", "SHA1", "--allow-weak-digest-algos")
    rsa = ("Key-Type: RSA", "Key-Length: 2048", "Key-Usage: sign", "Subkey-Type: RSA", "Subkey-Length: 2048")
    gpg.make("sha1@home.test", *rsa, "Subkey-Usage: encrypt", options=sha1)
    assert refused(gpg.public("sha1@home.test"), "sha1@home.test") in ("weak-signature", "no-encryption-key")


def test_several_live_parts_are_all_encrypted_to_and_the_expired_one_is_not(gpg: Gpg) -> None:
    address = "many@home.test"
    gpg.make(address, "Key-Type: eddsa", "Key-Curve: ed25519", "Key-Usage: cert")
    fingerprint = certificate.read(gpg.public(address)).fingerprint
    gpg.run("--quick-add-key", fingerprint, "cv25519", "encr", "never")
    gpg.run("--quick-add-key", fingerprint, "rsa2048", "encr", "1y")
    found = certificate.read(gpg.public(address))
    live = usable.encryption_keys(found, now())
    assert len(live) == 2
    assert found.encrypts_until is None
    sealed = packets.unwrap(cipher.encrypt(b"x", [(address, found)], now()), packets.MESSAGE, most=9_999)
    assert set(library.addressed(sealed)[0]) == {k.key_id for k in live}
    later = [k.expires for k in live if k.expires][0] + DAY  # noqa: RUF015
    assert len(usable.encryption_keys(found, later)) == 1
    sealed = packets.unwrap(cipher.encrypt(b"x", [(address, found)], later), packets.MESSAGE, most=9_999)
    assert len(library.addressed(sealed)[0]) == 1


def test_a_judgement_kept_ends_where_a_date_lies() -> None:
    short = key(JANE, life=3600).certificate
    assert short.expires is not None
    ready = usable.ready(short, JANE, short.expires - 1)
    assert (ready.until, usable.ready(short, JANE, now())) == (short.expires, ready)
    for address, at in ((JANE, short.expires), ("june@home.test", now()), (JANE, short.created - DAY)):
        with pytest.raises(Unusable):
            usable.ready(short, address, at)


def test_only_one_addresss_names_are_kept() -> None:
    two = keys.generate([("Jane", JANE), ("Nurse", NURSE)]).certificate
    kept = usable.only(two, JANE)
    assert (kept.addresses, kept.fingerprint) == ((JANE,), two.fingerprint)
    assert NURSE.encode() not in kept.raw
    assert refused(kept.raw) == ""
    with pytest.raises(Unusable):
        usable.only(two, "june@home.test")


def test_a_newer_copy_is_merged_and_loses_nothing(jane: PrivateKey) -> None:
    revoked = keys.revoke(jane)
    assert usable.merge(jane.certificate, revoked.raw).revoked
    # an old copy does not take the revocation back
    assert usable.merge(revoked, jane.certificate.raw).revoked
    assert usable.merge(jane.certificate, keys.armored(jane.certificate)).addresses == (JANE,)


def test_bi_072_another_key_for_a_known_recipient_is_no_update(jane: PrivateKey) -> None:
    with pytest.raises(Unusable) as error:
        usable.merge(jane.certificate, key(JANE).certificate.raw)
    assert error.value.code == "other-key"


@pytest.mark.parametrize(
    ("user_id", "address"),
    [
        ("Jane <jane@home.test>", JANE),
        ("jane@home.test", JANE),
        ("Jane (work) <Jane@HOME.test>", JANE),
        ("<jane@home.test>", JANE),
        ("jane@home.test <mallory@evil.test>", "mallory@evil.test"),
        ("<a@b.test> <jane@home.test>", ""),
        ("jane@home.test mallory@evil.test", ""),
        ("Jane", ""),
        ("Jane <jane@home.test", ""),
        ("Jane <jane@home.test> tail", ""),
        ("<jane@home.test\n>", ""),
    ],
)
def test_bi_048_a_user_id_names_one_address_or_none(user_id: str, address: str) -> None:
    assert certificate.address_of(user_id) == address
