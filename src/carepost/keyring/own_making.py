"""Keys of the organisation, made here or brought from elsewhere, judged before they are kept. Stores nothing."""

import hashlib
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_csr

from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.openpgp import usable as pgp_usable
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.openpgp.secret import PrivateKey, WrongPassphrase
from carepost.crypto.smime import certificate as x509
from carepost.crypto.smime import identity, usable
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.usable import Trust
from carepost.directory.types import OwnKept
from carepost.ground.errors import Refused
from carepost.keyring.reading import words_of
from carepost.policy.types import Method

#: method -> the kinds of key made here, the first where none is asked for
ALGORITHMS: Final = {
    Method.SMIME: ("rsa-3072", "ec-p256", "rsa-4096", "ec-p384"),
    Method.OPENPGP: ("curve25519", "rsa3072", "rsa4096", "p256"),
}
#: days a key made here holds, at most
MOST_DAYS: Final = 3650
#: octets of a file with a private key
MOST_BYTES: Final = 512 * 1024
#: what does not keep a former key from opening what was encrypted to it
_PAST: Final = frozenset({"expired", "revoked"})


class Own(msgspec.Struct, frozen=True):
    """A key with what it may do. `private`: PKCS#8 DER or an OpenPGP secret key, in clear: to be wrapped at once.
    `raw`: its certificate; empty while one is asked for by `request`. `public`: names the key pair, whatever its
    certificate. `faults`: why it would not be used, in codes."""

    method: Method
    algorithm: str
    private: bytes
    public: bytes
    raw: bytes
    fingerprint: str
    addresses: tuple[str, ...]
    not_after: int
    signs: bool
    decrypts: bool
    chain: tuple[bytes, ...] = ()
    request: bytes = b""
    faults: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Own({self.method.value}, {self.fingerprint[:16]})"


def generate(method: Method, algorithm: str, address: str, name: str, at: int, days: int, *, waiting: bool) -> Own:
    """A new key. S/MIME: with a certificate of its own making, and a request for an authority; `waiting`: with the
    request alone. Takes up to seconds for RSA. Raises Refused."""
    if algorithm not in ALGORITHMS.get(method, ()):
        known = ", ".join(ALGORITHMS.get(method, ())) or "smime or openpgp"
        raise Refused("key-kind", f"There is no key of this kind; choose one of {known}.", status=422)
    if not 1 <= days <= MOST_DAYS:
        raise Refused("key-days", f"A key holds 1 to {MOST_DAYS} days.", status=422)
    try:
        if method is Method.OPENPGP:
            return _openpgp(pgp.generate([(name, address)], suite=algorithm, life=days * 86_400), address, at)
        key = identity.generate(algorithm)
        request = identity.request(key, address, name)
        if waiting:
            return Own(
                method, algorithm, identity.private_bytes(key), _mark(key), b"", "",
                (x509.normal(address),), 0, True, True, request=request,
            )  # fmt: skip
        made = identity.self_signed(key, address, at, name=name, days=days)
        return msgspec.structs.replace(_smime(made, address, at, algorithm), request=request)
    except (SmimeError, OpenPgpError) as error:
        raise Refused(error.code, error.public, status=422) from None


def read(data: bytes, passphrase: str, address: str, at: int, *, former: bool = False) -> Own:
    """The private key of a PKCS#12 file, or an OpenPGP secret key; `address`: whose it should be, "" for anyone's.
    `former`: it only opens what was encrypted to it once, and may have run out. Raises Refused: too large, no private
    key, wrong passphrase, its parts do not belong together, weak."""
    if len(data) > MOST_BYTES:
        raise Refused("key-too-large", "The file is larger than 512 KB; it should hold one private key.", status=413)
    try:
        if data[:1] == b"\x30":  # DER
            found = _smime(identity.import_pkcs12(data, passphrase), address, at, "")
        elif data.lstrip().startswith(b"-----BEGIN") and b"PGP PRIVATE" not in data[:200]:
            raise Refused(
                "key-file", "Hand in a PKCS#12 file (.p12, .pfx), or an OpenPGP secret key. PEM becomes PKCS#12 by: "
                "openssl pkcs12 -export -inkey KEY.pem -in CERTIFICATE.pem", status=422,
            )  # fmt: skip
        else:
            found = _openpgp(pgp.bring_in(data, passphrase), address, at)
    except WrongPassphrase as error:
        raise Refused("passphrase", error.public, status=422) from None
    except (SmimeError, OpenPgpError) as error:
        raise Refused(error.code, error.public, status=422) from None
    if former:
        faults = tuple(fault for fault in found.faults if fault not in _PAST)
        found = msgspec.structs.replace(found, faults=faults, signs=False, decrypts=True)
    return found


def certified(private: bytes, data: bytes, address: str, at: int) -> Own:
    """The certificate an authority made for a key that is here, with those of its issuers. Raises Refused: it belongs
    to another key, or cannot be used."""
    try:
        known = x509.bundle(data)
        for leaf in known:
            others = tuple(one.der for one in known if one is not leaf)
            try:
                found = identity.load(private, leaf.der, others)
            except SmimeError as error:
                if error.code == "key-mismatch":
                    continue
                raise
            return _smime(found, address, at, "")
    except SmimeError as error:
        raise Refused(error.code, error.public, status=422) from None
    raise Refused(
        "key-mismatch", "None of the certificates in this file belongs to this key; ask the authority for the one made "
        "from this request.", status=422,
    )  # fmt: skip


def public_of(method: Method, kept: OwnKept) -> bytes:
    """`Own.public` of a key whose public part is kept. Raises Refused where that cannot be read."""
    if method is Method.OPENPGP:
        return bytes.fromhex(kept.fingerprint)
    try:
        if kept.raw:
            return _spki(x509.parse(kept.raw).x509.public_key())
        return _spki(load_pem_x509_csr(kept.request).public_key())
    except (SmimeError, ValueError):
        raise Refused("key-not-readable", "The certificate of this key cannot be read.", status=409) from None


def check(found: Own) -> None:
    """Raises Refused where the key can be used for nothing, with what is wrong in words."""
    if found.faults:
        raise Refused("key-not-usable", words_of(found.faults, "This key cannot be used"), status=422)


def _smime(found: Identity, address: str, at: int, algorithm: str) -> Own:
    known = found.certificate
    # who hands in the key vouches for its certificate: no chain is asked for, all else is
    trust = Trust(TrustStore(), pinned=frozenset({known.fingerprint}))
    named = address or next(iter(sorted(known.addresses)), "")
    to_sign = usable.for_signature(known, named, at, trust, found.chain).reasons
    to_open = usable.for_encryption(known, named, at, trust, found.chain).reasons
    signs, decrypts = not to_sign, not to_open
    faults = () if signs or decrypts else tuple(dict.fromkeys((*to_sign, *to_open)))
    return Own(
        Method.SMIME, algorithm or known.key, identity.private_bytes(found.key), _mark(found.key),
        known.der, known.fingerprint, tuple(sorted(known.addresses)), known.not_after, signs, decrypts, found.chain,
        faults=faults,
    )  # fmt: skip


def _openpgp(found: PrivateKey, address: str, at: int) -> Own:
    known = found.certificate
    own = {one.key.fingerprint for one in found.secrets}
    to_sign = pgp_usable.why_not(known, address, at, sign=True)
    to_open = pgp_usable.why_not(known, address, at)
    # a file may hold the main part alone, or a part alone
    signs = not to_sign and any(k.signs and k.fingerprint in own for k in known.keys)
    decrypts = not to_open and any(k.encrypts and k.fingerprint in own for k in known.keys)
    faults = (
        () if signs or decrypts else tuple(dict.fromkeys(r for r in (to_sign, to_open) if r)) or ("no-signing-key",)
    )
    ends = [end for end in (known.expires, known.encrypts_until) if end]
    main = next((k for k in known.keys if k.fingerprint == known.fingerprint), known.keys[0])
    return Own(
        Method.OPENPGP, _name(main.name), found.raw, bytes.fromhex(known.fingerprint), known.raw, known.fingerprint,
        known.addresses, min(ends) if ends else 0, signs, decrypts, faults=faults,
    )  # fmt: skip


def _mark(key: identity.PrivateKey) -> bytes:
    return _spki(key.public_key())


def _spki(key: PublicKeyTypes) -> bytes:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def _name(name: str) -> str:
    return name.lower().replace(" ", "-")[:20]
