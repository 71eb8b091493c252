"""DKIM verification against dkimpy in both directions, and against what should never verify."""

import base64
import re
import subprocess
from itertools import product

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from carepost.crypto import dkim
from carepost.crypto.dkim_verify import MOST, Signed, verify
from carepost.ground import clock
from carepost.rfc.asking import run
from tests.support.zone import Dns

pytestmark = pytest.mark.fast

#: dkimpy signs and verifies by the clock of the machine
NOW = clock.now() // 1_000_000
RAW = (
    b"From: Nora <nora@clinic.test>\r\nTo:  Ann\r\n\t<ann@there.test>\r\nSubject: A   subject \r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@clinic.test>\r\n\r\n"
    b"Line one  with   runs\t\r\n\r\n.dots\r\nlast \r\n\r\n\r\n"
)
RSA_KEY = generate_private_key(public_exponent=65537, key_size=2048)
ED_KEY = Ed25519PrivateKey.generate()


def der(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def record(key: RSAPrivateKey | Ed25519PrivateKey, extra: str = "") -> str:
    if isinstance(key, Ed25519PrivateKey):
        return f"v=DKIM1; k=ed25519; {extra}p={base64.b64encode(key.public_key().public_bytes_raw()).decode()}"
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; {extra}p={base64.b64encode(spki).decode()}"


RSA_RECORD, ED_RECORD = record(RSA_KEY), record(ED_KEY)


def checked(raw: bytes, text: str = RSA_RECORD, now: int = NOW, name: str = "s._domainkey.clinic.test") -> Signed:
    [found] = run(verify(raw, now), Dns({name: [("TXT", text)]}))
    return found


def theirs(raw: bytes = RAW, **options: object) -> bytes:
    """Signed by dkimpy."""
    given = {"selector": b"s", "domain": b"clinic.test", "privkey": pem(RSA_KEY), **options}
    field: bytes = dkimpy.sign(raw, **given)
    return field + raw


def ours(key: RSAPrivateKey | Ed25519PrivateKey, raw: bytes = RAW, now: int = NOW) -> bytes:
    algorithm = dkim.RSA if isinstance(key, RSAPrivateKey) else dkim.ED25519
    return dkim.Signer("clinic.test", "s", algorithm, der(key)).sign(raw, now) + raw


@pytest.mark.parametrize(("header", "body"), product((b"simple", b"relaxed"), repeat=2))
def test_what_dkimpy_signs_passes(header: bytes, body: bytes) -> None:
    found = checked(theirs(canonicalize=(header, body)))
    assert (found.result, found.reason, found.bits, found.domain) == ("pass", "", 2048, "clinic.test")


def test_what_dkimpy_signs_with_ed25519_passes() -> None:
    raw = theirs(privkey=base64.b64encode(ED_KEY.private_bytes_raw()), signature_algorithm=b"ed25519-sha256")
    assert checked(raw, ED_RECORD).result == "pass"


@pytest.mark.parametrize("key", [RSA_KEY, ED_KEY], ids=["rsa", "ed25519"])
def test_what_we_sign_passes_here_and_at_dkimpy(key: RSAPrivateKey | Ed25519PrivateKey) -> None:
    raw = ours(key)
    found = checked(raw, record(key))
    assert (found.result, found.oversigned) == ("pass", True)
    assert dkimpy.verify(raw, dnsfunc=lambda *_a, **_k: record(key).encode())


@pytest.mark.parametrize("body", [b"", b"\r\n", b"no line end", b" \r\n", b"a\r\n\r\n\r\n", b"a \tb  \r\n"])
@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
def test_bodies_at_the_edges_agree_with_dkimpy(body: bytes, form: bytes) -> None:
    raw = RAW[: RAW.index(b"\r\n\r\n") + 4] + body
    assert checked(theirs(raw, canonicalize=(form, form))).result == "pass"


@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
def test_changes_on_the_way(form: bytes) -> None:
    raw = theirs(canonicalize=(form, form))
    assert checked(raw + b"appended\r\n").reason == "body-changed"
    assert checked(raw.replace(b"A   subject", b"Another subject")).reason == "header-changed"
    spaced = raw.replace(b"with   runs", b"with runs")
    assert checked(spaced).result == ("pass" if form == b"relaxed" else "fail")


def test_a_second_from_breaks_an_oversigned_signature() -> None:
    assert checked(b"From: eve@evil.test\r\n" + ours(RSA_KEY)).reason == "header-changed"


def test_a_length_is_no_signature() -> None:
    """`l=`: the text below may be anybody's."""
    found = checked(theirs(length=True) + b"appended\r\n")
    assert (found.result, found.reason) == ("policy", "length")


def test_sha1_and_unknown_algorithms_are_no_signatures() -> None:
    old = re.sub(rb"a=rsa-sha256", b"a=rsa-sha1", theirs(), count=1)
    assert (checked(old).result, checked(old).reason) == ("policy", "algorithm")


@pytest.mark.parametrize(("bits", "result"), [(512, "policy"), (768, "policy"), (1024, "pass")])
def test_short_keys(bits: int, result: str) -> None:
    """RFC 8301 3.2: nothing below 1024; 1024 passes and is called weak."""
    short = _short_key(bits)
    found = checked(theirs(privkey=short), _short_record(short))
    assert found.result == result
    assert found.reason == ("weak-key" if result == "pass" else "key-short")


def test_times() -> None:
    # dkimpy signs by the real clock, and this module may have been read minutes ago
    now = clock.now() // 1_000_000
    signed = ours(RSA_KEY, now=now)
    assert checked(signed, now=now - 7200).reason == "future"
    with_end = re.sub(rb"; h=", b"; x=%d; h=" % (now + 60), theirs(), count=1)
    late = checked(with_end, now=now + 61)
    assert (late.result, late.reason) == ("fail", "expired")
    backwards = re.sub(rb"; t=\d+;", b"; t=%d; x=%d;" % (now, now - 1), theirs(), count=1)
    assert checked(backwards, now=now).reason == "times"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v=DKIM1; p=", "revoked"),
        ("v=DKIM1; k=rsa; p=!!", "key-syntax"),
        ("v=DKIM1; k=rsa; p=QUJD", "key-syntax"),
        ("v=DKIM2; p=QUJD", "key-syntax"),
        ("spam", "tags-syntax"),
        (RSA_RECORD.replace("v=DKIM1;", "v=DKIM1; h=sha1;"), "key-unfit"),
        (RSA_RECORD.replace("v=DKIM1;", "v=DKIM1; s=tlsrpt;"), "key-unfit"),
        (ED_RECORD, "key-unfit"),
    ],
    # keys are fresh in each process, and the names of tests must not be
    ids=["revoked", "no base64", "no key", "version", "no tags", "hash", "service", "algorithm"],
)
def test_keys_that_are_none(text: str, reason: str) -> None:
    found = checked(ours(RSA_KEY), text)
    assert (found.result, found.reason) == ("permerror", reason)


def test_a_strict_key_wants_the_very_domain() -> None:
    raw = theirs(identity=b"nora@sub.clinic.test")
    assert checked(raw).result == "pass"
    assert checked(raw, record(RSA_KEY, "t=s; ")).reason == "identity"
    assert checked(raw, record(RSA_KEY, "t=y; ")).testing


def test_keys_missing_and_unreachable() -> None:
    raw = ours(RSA_KEY)
    assert checked(raw, name="other._domainkey.clinic.test").reason == "key-missing"
    assert checked(raw, "!").result == "temperror"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"; d=clinic.test", b"; d=clinic"), "domain"),
        ((b"; d=clinic.test", b"; d=clinic..test"), "domain"),
        ((b"; s=s;", b"; s=a b;"), "domain"),
        ((b"v=1", b"v=2"), "version"),
        ((b"; d=clinic.test", b"; d=clinic.test; i=@evil.test"), "identity"),
        ((b"; d=clinic.test", b"; d=clinic.test; d=evil.test"), "tag-twice"),
        ((b"; d=clinic.test", b"; d=clinic.test; q=http"), "query"),
        ((b"h=From", b"h=Fromm"), "from-unsigned"),
        ((b"c=relaxed/relaxed", b"c=nofws"), "canonicalization"),
    ],
)
def test_signatures_that_are_none(change: tuple[bytes, bytes], reason: str) -> None:
    raw = ours(RSA_KEY)
    assert change[0] in raw
    changed = raw.replace(*change)
    if reason == "from-unsigned":
        changed = re.sub(rb"(?<=[:=])From(?=:)", b"Fromm", raw[: raw.index(b"bh=")]) + raw[raw.index(b"bh=") :]
    found = checked(changed)
    assert (found.result, found.reason) == ("permerror", reason)


def test_thousands_of_signatures_cost_a_few() -> None:
    """One message cannot make us ask for more than a handful of keys."""
    one = ours(RSA_KEY)[: -len(RAW)]
    raw = b"".join(one.replace(b"s=s;", b"s=s%d;" % n) for n in range(300)) + RAW
    dns = Dns({})
    found = run(verify(raw, NOW), dns)
    assert len(found) == len(dns.asked) == MOST
    assert {signed.reason for signed in found} == {"key-missing"}


def test_no_signature_and_no_header() -> None:
    assert run(verify(RAW, NOW), Dns({})) == ()
    assert run(verify(b"", NOW), Dns({})) == ()
    assert run(verify(b"\r\nbody", NOW), Dns({})) == ()


def _short_key(bits: int) -> bytes:
    """OpenSSL still makes what nobody should use."""
    made = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], capture_output=True, check=True, timeout=60)
    return made.stdout


def _short_record(private: bytes) -> str:
    made = subprocess.run(
        ["openssl", "rsa", "-pubout", "-outform", "DER"], input=private, capture_output=True, check=True, timeout=60
    )
    return f"v=DKIM1; p={base64.b64encode(made.stdout).decode()}"
