"""The sandbox's people who read S/MIME and OpenPGP: their keys, made once, and their mail programs that open with them.

Uses the product's own crypto: what other programs make of it is tested against openssl, gpgsm, gpg and sq."""

from pathlib import Path
from typing import Final

from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.openpgp import message as pgp_message
from carepost.crypto.openpgp import secret
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.smime import identity, opening
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.usable import Trust
from carepost.ground import clock, durable
from carepost.policy.types import Method
from carepost.sandbox.domains import ALL, Domain, Publishes
from carepost.sandbox.people import SAMPLES

SMIME, OPENPGP = "smime.test", "pgp.test"
#: local part of those whose keys can be found
PUBLISHER: Final = "testina.sample"
_BY: Final = {SMIME: Method.SMIME, OPENPGP: Method.OPENPGP} | {
    domain.name: Method.SMIME if domain.publishes is Publishes.SMIMEA else Method.OPENPGP
    for domain in ALL
    if domain.publishes
}
#: a clock that is a little behind must not find them dated in the future
_EARLIER: Final = 86_400_000_000


def published(folder: Path) -> dict[str, bytes]:
    """Address -> the certificate its owner gives away; made where there is none yet. `folder`: the world's."""
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {}
    for sample in SAMPLES:
        if sample.domain not in (SMIME, OPENPGP):
            continue
        public, private = keys / f"{sample.address}.public", keys / f"{sample.address}.private"
        if not public.exists():
            made, given = _smime(sample.address) if sample.domain == SMIME else _openpgp(sample.name, sample.address)
            durable.write(private, made)
            durable.write(public, given)
        found[sample.address] = public.read_bytes()
    return found


def publishing(folder: Path, domain: Domain) -> dict[str, bytes]:
    """Of a domain whose people publish their keys: address -> the key, made where there is none yet."""
    if not domain.publishes:
        return {}
    address = f"{PUBLISHER}@{domain.name}"
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    public, private = keys / f"{address}.public", keys / f"{address}.private"
    if not public.exists():
        by_smime = domain.publishes is Publishes.SMIMEA
        made, given = _smime(address) if by_smime else _openpgp("Testina Sample", address)
        durable.write(private, made)
        durable.write(public, given)
    return {address: public.read_bytes()}


def _smime(address: str) -> tuple[bytes, bytes]:
    key = identity.generate("rsa-2048")
    made = identity.self_signed(key, address, clock.now() - _EARLIER)
    return identity.private_bytes(key), made.certificate.der


def _openpgp(name: str, address: str) -> tuple[bytes, bytes]:
    key = pgp.generate([(name, address)])
    return pgp.export(key), pgp.armored(key.certificate)


class Owners:
    """Opens mail as its owner's mail program would. Keys are read when the first mail for them comes."""

    def __init__(self, folder: Path) -> None:
        self._keys = folder / "keys"
        self._identities: dict[str, Identity] = {}
        self._secrets: dict[str, secret.PrivateKey] = {}

    def open(self, raw: bytes, recipients: tuple[str, ...]) -> bytes:
        """The message as it was composed; b"" where it is not encrypted, or to nobody here."""
        for address in recipients:
            try:
                opened = self._opened(raw, address.lower())
            except (SmimeError, OpenPgpError, OSError, ValueError):
                continue
            if opened:
                return opened
        return b""

    def _opened(self, raw: bytes, address: str) -> bytes:
        domain = address.rpartition("@")[2]
        if _BY.get(domain) is Method.SMIME and opening.is_smime(raw):
            return opening.open_(raw, [self._identity(address)], Trust(TrustStore()), clock.now()).message
        if _BY.get(domain) is Method.OPENPGP and pgp_message.kind(raw):
            return pgp_message.open_(raw, [self._secret(address)], [], at=clock.now()).message
        return b""

    def _identity(self, address: str) -> Identity:
        found = self._identities.get(address)
        if found is None:
            private, public = self._files(address)
            found = self._identities[address] = identity.load(private, public)
        return found

    def _secret(self, address: str) -> secret.PrivateKey:
        found = self._secrets.get(address)
        if found is None:
            found = self._secrets[address] = secret.load(self._files(address)[0])
        return found

    def _files(self, address: str) -> tuple[bytes, bytes]:
        # an address of ours, or there is no such file
        name = address.replace("/", "_")
        return (self._keys / f"{name}.private").read_bytes(), (self._keys / f"{name}.public").read_bytes()
