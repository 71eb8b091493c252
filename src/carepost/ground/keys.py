"""The master keyring and the keys derived from it, one per purpose.

The keyring holds versions of a 32-byte master key, in clear or wrapped by a provider. A purpose's key-encryption key is
HKDF-SHA256(master, "carepost/kek/" + purpose), so a process given one purpose can open nothing of another.
Every wrapped key names the version that wrapped it (DESIGN 5).
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carepost.ground import durable, ids, private
from carepost.ground.errors import CarepostError, ConfigError
from carepost.ground.providers import opening
from carepost.ground.providers.settings import Settings

#: `mail`: private keys of S/MIME and OpenPGP; it wraps them itself, no organisation has a key of its own for it
PURPOSES = ("content", "portal", "evidence", "index", "dkim", "signing", "database", "mail")

#: what is derived for these stays the same after a rotation: tokens must be found again, a log keeps its signer
_STEADY = frozenset({"index", "signing"})
_FORMAT = 1
#: the format of a keyring that a provider unwraps: an older Carepost refuses it
_WRAPPED = 2
_NONCE = 12


class WrongKey(CarepostError):
    """The bytes were not wrapped by this keyring, were altered, or belong somewhere else."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("wrong-key", "This key cannot be opened here: the keyring does not match the data.", detail)


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    format: int
    current: int
    #: version (decimal) -> base64 of 32 bytes; with a provider: of what it made of them
    keys: dict[str, str]
    provider: Settings | None = None
    #: names this keyring to its provider, anew at each move
    id: str = ""

    def context(self, version: int) -> dict[str, str]:
        """What the provider binds a wrapped key to."""
        return {"carepost-keyring": self.id, "version": str(version)}


class PurposeKeys:
    """The key-encryption keys of some purposes: all a process ever holds."""

    def __init__(self, keks: dict[str, dict[int, bytes]], current: int) -> None:
        self._keks = keks
        self._current = current
        self._aeads: dict[tuple[str, int], AESGCM] = {}

    @classmethod
    def ephemeral(cls) -> "PurposeKeys":
        """Random keys for every purpose: tests and throw-away worlds."""
        return cls({p: {1: os.urandom(32)} for p in PURPOSES}, 1)

    @property
    def purposes(self) -> frozenset[str]:
        return frozenset(self._keks)

    @property
    def current(self) -> int:
        return self._current

    def wrap(self, purpose: str, plain: bytes, aad: bytes) -> bytes:
        """`version (2 bytes) || nonce || ciphertext || tag` under the purpose's newest key."""
        nonce = os.urandom(_NONCE)
        version = self._current
        return version.to_bytes(2, "big") + nonce + self._aead(purpose, version).encrypt(nonce, plain, aad)

    def unwrap(self, purpose: str, wrapped: bytes, aad: bytes) -> bytes:
        """Raises WrongKey when purpose, version, aad or bytes do not match."""
        version = int.from_bytes(wrapped[:2], "big")
        nonce, sealed = wrapped[2 : 2 + _NONCE], wrapped[2 + _NONCE :]
        if len(sealed) < 16:
            raise WrongKey("too short")
        try:
            return self._aead(purpose, version).decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise WrongKey(purpose) from None

    def rewrap(self, purpose: str, wrapped: bytes, aad: bytes) -> bytes | None:
        """The same under the newest key; None: it is already. Raises WrongKey."""
        if version_of(wrapped) == self._current:
            return None
        return self.wrap(purpose, self.unwrap(purpose, wrapped, aad), aad)

    def raw(self, purpose: str, info: bytes, version: int | None = None) -> bytes:
        """32 bytes derived from the purpose's key, e.g. `raw("database", b"office.db")`: from the newest one, where
        nothing else is said and the purpose is not one whose derived keys must last."""
        if version is None:
            version = min(self._keks.get(purpose, {0: b""})) if purpose in _STEADY else self._current
        return _hkdf(self._kek(purpose, version), b"carepost/raw/" + info)

    def versions(self, purpose: str) -> tuple[int, ...]:
        """Newest first."""
        return tuple(sorted(self._keks.get(purpose, ()), reverse=True))

    def only(self, *purposes: str) -> "PurposeKeys":
        return PurposeKeys({p: self._keks[p] for p in purposes}, self._current)

    def dump(self) -> bytes:
        """For handing to a child process over a pipe; never written to a disk."""
        return msgspec.msgpack.encode((self._current, self._keks))

    @classmethod
    def load(cls, raw: bytes) -> "PurposeKeys":
        current, keks = msgspec.msgpack.decode(raw, type=tuple[int, dict[str, dict[int, bytes]]])
        return cls(keks, current)

    @classmethod
    def from_fd(cls, fd: int) -> "PurposeKeys":
        """Reads what the supervisor handed over, once, and closes the descriptor."""
        with os.fdopen(fd, "rb") as pipe:
            return cls.load(pipe.read())

    def _kek(self, purpose: str, version: int) -> bytes:
        try:
            return self._keks[purpose][version]
        except KeyError:
            raise WrongKey(f"no key for {purpose} version {version}") from None

    def _aead(self, purpose: str, version: int) -> AESGCM:
        found = self._aeads.get((purpose, version))
        if found is None:
            found = self._aeads[purpose, version] = AESGCM(self._kek(purpose, version))
        return found


class MasterKeyring:
    """The file that opens everything: by itself, or with a provider that unwraps what it holds. Losing it loses
    everything; it never goes into a backup."""

    def __init__(self, path: Path, keys: dict[int, bytes], current: int, file: "_File | None" = None) -> None:
        self.path = path
        self._keys = keys
        self._current = current
        self._file = file or _File(_FORMAT, current, {})

    @classmethod
    def create(cls, path: Path) -> "MasterKeyring":
        """Makes a keyring with one key, mode 0600. Raises ConfigError when one is there already."""
        if path.exists():
            raise ConfigError(f"A keyring is already at {path}; Carepost never overwrites one.")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = _File(_FORMAT, 1, {"1": base64.b64encode(os.urandom(32)).decode()})
        durable.write(path, msgspec.json.encode(file), mode=0o600)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path, environ: Mapping[str, str] | None = None) -> "MasterKeyring":
        """Raises ConfigError with the mend in its sentence; so also where its provider does not answer, or refuses.
        `environ`: where the provider's secret is named, else this process's."""
        file = _read(path)
        try:
            stored = {int(v): base64.b64decode(k, validate=True) for v, k in file.keys.items()}
        except ValueError:
            raise _damaged(path) from None
        keys = stored
        if file.provider is not None:
            kept = opening.provider(file.provider, os.environ if environ is None else environ)
            try:
                keys = {v: kept.unwrap(wrapped, file.context(v)) for v, wrapped in stored.items()}
            finally:
                kept.close()
        if file.current not in keys or any(len(k) != 32 for k in keys.values()):
            raise _damaged(path)
        return cls(path, keys, file.current, file)

    def rotate(self) -> "MasterKeyring":
        """The keyring with one key more, the newest, on disk when this returns. Older ones stay: they open what they
        wrapped, and backups made before."""
        newest = max(self._keys) + 1
        if self._file.provider is None:
            return self._write({**self._keys, newest: os.urandom(32)}, newest, None, os.environ)
        kept = opening.provider(self._file.provider, os.environ)
        try:
            _, wrapped = kept.new(self._file.context(newest))
        finally:
            kept.close()
        stored = {**self._file.keys, str(newest): base64.b64encode(wrapped).decode()}
        file = msgspec.structs.replace(self._file, current=newest, keys=stored)
        durable.write(self.path, msgspec.json.encode(file), mode=0o600)
        return MasterKeyring.open(self.path)

    def move(self, provider: Settings | None, environ: Mapping[str, str] | None = None) -> "MasterKeyring":
        """The same keys, wrapped by this provider (None: in the file itself), on disk when this returns. What the
        provider wrapped was unwrapped again before anything was written. `environ`: where the new provider's secret is
        named, else this process's. Raises ConfigError."""
        return self._write(self._keys, self._current, provider, os.environ if environ is None else environ)

    def _write(
        self, keys: dict[int, bytes], current: int, provider: Settings | None, environ: Mapping[str, str]
    ) -> "MasterKeyring":
        file = _File(_FORMAT if provider is None else _WRAPPED, current, {}, provider, ids.text(ids.new()))
        stored = dict(keys)
        if provider is not None:
            kept = opening.provider(provider, environ)
            try:
                stored = {v: kept.wrap(key, file.context(v)) for v, key in keys.items()}
                if any(kept.unwrap(wrapped, file.context(v)) != keys[v] for v, wrapped in stored.items()):
                    raise ConfigError(f"{kept.words()} does not give back what it wrapped; the keyring stays as it is.")
            finally:
                kept.close()
        else:
            file = msgspec.structs.replace(file, id="")
        encoded = {str(v): base64.b64encode(k).decode() for v, k in sorted(stored.items())}
        file = msgspec.structs.replace(file, keys=encoded)
        durable.write(self.path, msgspec.json.encode(file), mode=0o600)
        return MasterKeyring.open(self.path, environ)

    @property
    def current(self) -> int:
        return self._current

    @property
    def provider(self) -> Settings | None:
        """Who unwraps it; None: nobody, the file is the key."""
        return self._file.provider

    def words(self) -> str:
        """Who keeps the master key, for people."""
        if self._file.provider is None:
            return "the file itself"
        return opening.provider(self._file.provider, os.environ).words()

    def purposes(self, *names: str) -> PurposeKeys:
        """The keys of these purposes (all when none is named)."""
        wanted = names or PURPOSES
        return PurposeKeys(
            {p: {v: _hkdf(k, b"carepost/kek/" + p.encode()) for v, k in self._keys.items()} for p in wanted},
            self._current,
        )


def _read(path: Path) -> _File:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"No keyring at {path}: set CAREPOST_KEYRING to the one made with this home.") from None
    except OSError as error:
        raise ConfigError(f"The keyring {path} cannot be read ({error.strerror}).") from None
    if private.shared(path):
        raise ConfigError(f"The keyring {path} can be read by others; run: chmod 600 {path}")
    try:
        file = msgspec.json.decode(raw, type=_File)
    except (msgspec.MsgspecError, ValueError):
        raise ConfigError(f"The keyring {path} is damaged: restore it from your copy.") from None
    if (file.format, file.provider is None) not in ((_FORMAT, True), (_WRAPPED, False)):
        raise _damaged(path)
    return file


def _damaged(path: Path) -> ConfigError:
    return ConfigError(f"The keyring {path} is damaged or from a newer Carepost: restore it from your copy.")


def version_of(wrapped: bytes) -> int:
    """Which version of the purpose's key wrapped it."""
    return int.from_bytes(wrapped[:2], "big")


def _hkdf(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
