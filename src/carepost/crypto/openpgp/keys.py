"""Keys of an organisation or a person of it: made, brought in, given out, renewed, revoked.

What is given back as `PrivateKey.raw` is a secret: the caller wraps it under the master key and stores nothing else.
Rotation is a new certificate beside the old one, which goes on decrypting; nothing is ever replaced in place."""

import secrets
from collections.abc import Sequence
from typing import TypeAlias

import pysequoia

from carepost.crypto.openpgp import certificate, cipher, library, packets, secret, usable
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import Malformed, NotDecrypted, OpenPgpError, Unusable
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc.address import format_mailbox

#: word of a setting -> suite. Curve25519 is what every current program reads; RSA where a partner's rules name it.
SUITES = {
    "curve25519": pysequoia.CipherSuite.Cv25519,
    "rsa3072": pysequoia.CipherSuite.RSA3k,
    "rsa4096": pysequoia.CipherSuite.RSA4k,
    "p256": pysequoia.CipherSuite.P256,
    "p384": pysequoia.CipherSuite.P384,
}
Signer: TypeAlias = pysequoia.PySigner
_DETACHED = pysequoia.SignatureMode.DETACHED

#: three years, in seconds
LIFE = 3 * 365 * 86_400
MAX_LIFE = 20 * 365 * 86_400


def generate(addresses: Sequence[tuple[str, str]], *, suite: str = "curve25519", life: int | None = LIFE) -> PrivateKey:
    """A version 4 key with a part to sign and a part to encrypt. `addresses`: (display name, address), the first the
    main one; `life`: seconds, None for ever. Raises AddressError, and Unusable for a suite or life that is not offered.

    RSA takes seconds: not on an event loop."""
    if not addresses:
        raise Unusable("key-kind", "A key is for at least one address.")
    return _make([_user_id(name, address) for name, address in addresses], suite, life)


def rotate(old: PrivateKey, *, suite: str = "curve25519", life: int | None = LIFE) -> PrivateKey:
    """A new key for the same names and addresses, to sign from now on and to be given out. The old one is kept: it
    opens what is still encrypted to it, until that is no more."""
    return _make(list(old.certificate.user_ids), suite, life)


def _make(user_ids: list[str], suite: str, life: int | None) -> PrivateKey:
    if suite not in SUITES or not user_ids or (life is not None and not 3600 <= life <= MAX_LIFE):
        raise Unusable("key-kind", f"A key can be one of {', '.join(SUITES)}, for an hour to twenty years.")
    made = library.call(
        lambda: pysequoia.Tsk.generate(user_ids=user_ids, cipher_suite=SUITES[suite], validity_seconds=life),
        OpenPgpError("key-not-made", "The OpenPGP key could not be made."),
    )
    return secret.load(bytes(made))


def _user_id(name: str, address: str) -> str:
    """`Name <address>` in UTF-8, as user ids are; the address alone where the name would have a second reading."""
    bare = format_mailbox("", address)
    plain = name.strip()
    # the same refusals as in a header: no control character gets in
    format_mailbox(name, address)
    return f"{plain} <{bare}>" if plain and not set(plain) & set('<>@"()\\') else bare


def bring_in(data: bytes, passphrase: str = "") -> PrivateKey:
    """A private key made elsewhere. Tried at once: it must open what its own certificate encrypts, and its signature
    must hold under its own certificate.

    Raises Malformed, WrongPassphrase, and Unusable("mismatch") where secret and public parts do not belong together."""
    found = secret.load(data, passphrase)
    wrong = Unusable("mismatch", "The private and the public part of this key do not belong together.")
    word = secrets.token_bytes(16)
    owned = {s.key.fingerprint: s for s in found.secrets}
    for key in found.certificate.keys:
        part = owned.get(key.fingerprint)
        if not key.encrypts or not key.strong or part is None:
            continue
        # with this part alone: the main key may be one to encrypt to as well
        alone = PrivateKey(found.certificate, (part,), b"")
        sealed = library.encrypt(word, [library.parse(found.certificate.frame + key.packets)], None, wrong)
        try:
            if cipher.decrypt(sealed, [alone]).content.data != word:
                raise wrong
        except (NotDecrypted, Malformed):
            raise wrong from None
    _try_signing(found, word, wrong)
    return found


def _try_signing(found: PrivateKey, word: bytes, wrong: Unusable) -> None:
    try:
        signing = library.call(lambda: pysequoia.Tsk.from_bytes(found.raw).signer(), wrong)
    except Unusable:
        # nothing to sign with, or no more: it may still open what it is needed for
        return
    made = library.call(lambda: bytes(pysequoia.sign(signing, word, mode=_DETACHED, armor=False)), wrong)
    owner = library.parse(found.certificate.raw)
    signature = library.call(lambda: pysequoia.Sig.from_bytes(made), wrong)
    library.call(lambda: pysequoia.verify(word, lambda _: [owner], signature=signature), wrong)


def may_sign(key: PrivateKey, address: str, at: int) -> None:
    """Raises Unusable with the reason where the key may not sign for this address at this time."""
    reason = usable.why_not(key.certificate, address, at, sign=True)
    if reason:
        raise Unusable(reason, usable.WORDS[reason])


def signer(key: PrivateKey, address: str, at: int) -> Signer:
    """What `message.seal` and `message.sign` sign with. Raises Unusable where the key may not sign for this address.

    Opening one costs as much as a message: who keeps it asks `may_sign` again before each use."""
    may_sign(key, address, at)
    trouble = Unusable("no-signing-key", usable.WORDS["no-signing-key"])
    return library.call(lambda: pysequoia.Tsk.from_bytes(key.raw).signer(), trouble)


def revoke(key: PrivateKey) -> Certificate:
    """The certificate, revoked for good: to be published wherever the key was. The private key still decrypts."""
    trouble = OpenPgpError("not-revoked", "The key cannot be revoked: its main part is not here.")
    owner = library.call(lambda: pysequoia.Tsk.from_bytes(key.raw), trouble)
    public = library.parse(key.certificate.raw)
    word = library.call(lambda: bytes(public.revoke(owner.certifier())), trouble)
    return certificate.read(_with_revocation(key.certificate, word))


def _with_revocation(known: Certificate, word: bytes) -> bytes:
    """A key's revocation follows the key itself (RFC 9580 10.1)."""
    first = packets.read(known.raw, most=certificate.MAX_PACKETS)[0]
    body = packets.read(word)[0].body
    return known.raw[: first.end] + packets.frame(packets.SIGNATURE, body) + known.raw[first.end :]


def armored(known: Certificate) -> bytes:
    """A certificate to give out."""
    return library.armor(known.raw, packets.PUBLIC)


def export(key: PrivateKey) -> bytes:
    """The private key armored and without a passphrase: for a backup that is encrypted as a whole."""
    return library.armor(key.raw, packets.PRIVATE)
