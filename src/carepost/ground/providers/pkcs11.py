"""A PKCS#11 token (a hardware security module): an AES key that cannot be taken out of it encrypts by AES-GCM.

The library is the extra `hsm`; what speaks to the token is its maker's (`module`)."""

import importlib
import os
from collections.abc import Mapping
from typing import Any, Final

from carepost.ground.errors import ConfigError
from carepost.ground.providers.settings import Settings, bound, fresh, secret

_NONCE: Final = 12


def provider(settings: Settings, environ: Mapping[str, str]) -> "Token":
    return Token(settings, environ)


class Token:
    """Opens the token at its first use, and closes it with `close`."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        try:
            self._library: Any = importlib.import_module("pkcs11")
        except ImportError:
            raise ConfigError("A PKCS#11 token needs python-pkcs11: install carepost[hsm].") from None
        self._settings = settings
        self._environ = environ
        self._session: Any = None
        self._key: Any = None

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._do("encrypt", key, nonce, context)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        return self._do("decrypt", wrapped[_NONCE:], wrapped[:_NONCE], context)

    def new(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        key = fresh()
        return key, self.wrap(key, context)

    def words(self) -> str:
        return f"PKCS#11 token {self._settings.token}, key {self._settings.key}"

    def close(self) -> None:
        session, self._session, self._key = self._session, None, None
        if session is not None:
            session.close()

    def make_key(self) -> None:
        """An AES-256 key under this label, made in the token and never outside. Raises ConfigError where there is one
        already."""
        session = self._opened()
        what = self._library.Attribute
        try:
            if list(session.get_objects({what.LABEL: self._settings.key})):
                raise ConfigError(
                    f"The token holds a key {self._settings.key} already: leave --make-key out to use it, or choose "
                    "another name."
                )
            session.generate_key(
                self._library.KeyType.AES, 256, label=self._settings.key, store=True,
                template={what.SENSITIVE: True, what.EXTRACTABLE: False, what.PRIVATE: True},
            )  # fmt: skip
        except self._library.PKCS11Error as error:
            raise self._trouble(error) from None

    def _do(self, verb: str, data: bytes, nonce: bytes, context: Mapping[str, str]) -> bytes:
        key = self._found()
        try:
            gcm = self._library.GCMParams(nonce, bound(context), 128)
            done = getattr(key, verb)(data, mechanism=self._library.Mechanism.AES_GCM, mechanism_param=gcm)
            return bytes(done)
        except self._library.PKCS11Error as error:
            raise self._trouble(error) from None

    def _found(self) -> Any:
        if self._key is None:
            session = self._opened()
            kind, what = self._library.ObjectClass.SECRET_KEY, self._library.Attribute
            try:
                key = session.get_key(object_class=kind, label=self._settings.key)
                if key[what.EXTRACTABLE] or not key[what.SENSITIVE]:
                    raise ConfigError(
                        f"The key {self._settings.key} can be taken out of the token; make one that cannot: "
                        "carepost keyring move --to pkcs11 --make-key"
                    )
            except self._library.PKCS11Error as error:
                raise self._trouble(error) from None
            self._key = key
        return self._key

    def _opened(self) -> Any:
        if self._session is None:
            pin = secret(self._environ, "the PIN of the PKCS#11 token")
            try:
                library = self._library.lib(self._settings.module)
                token = library.get_token(token_label=self._settings.token)
                self._session = token.open(rw=True, user_pin=pin)
            except self._library.PKCS11Error as error:
                raise self._trouble(error) from None
            except (RuntimeError, OSError):
                raise ConfigError(
                    f"The PKCS#11 module {self._settings.module} cannot be loaded; install the library of the token’s "
                    "maker at that place."
                ) from None
        return self._session

    def _trouble(self, error: Exception) -> ConfigError:
        name, where = type(error).__name__, f"The PKCS#11 token {self._settings.token}"
        if name in ("PinIncorrect", "PinLenRange", "PinInvalid"):
            return ConfigError(f"{where} does not take this PIN; it locks itself after a few wrong ones.")
        if name in ("PinLocked",):
            return ConfigError(f"{where} is locked after wrong PINs; its security officer can set a new one.")
        if name in ("NoSuchToken", "TokenNotPresent", "DeviceRemoved", "SlotIDInvalid"):
            return ConfigError(f"{where} is not there; connect it, and start again.")
        if name == "NoSuchKey":
            return ConfigError(
                f"{where} holds no key {self._settings.key}: name the one it has, or make one by carepost keyring move "
                "--to pkcs11 --make-key."
            )
        if name == "MultipleObjectsReturned":
            return ConfigError(
                f"{where} holds several keys {self._settings.key}: give all but the one that is meant another label."
            )
        if name in ("EncryptedDataInvalid", "EncryptedDataLenRange", "AEADDecryptFailed", "GeneralError"):
            return ConfigError(
                f"{where} cannot decrypt the keyring by the key {self._settings.key}: it is another key, or the "
                "keyring was changed."
            )
        return ConfigError(f"{where} refused ({name}); see its log, and start again.")
