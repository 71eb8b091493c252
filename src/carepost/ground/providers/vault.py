"""HashiCorp Vault, secrets engine Transit: it encrypts and decrypts, and its key never leaves it.

API: /v1/<mount>/encrypt|decrypt/<key>, with `associated_data` (AES-GCM keys); AppRole: /v1/auth/approle/login."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from carepost.ground.errors import ConfigError
from carepost.ground.providers import calling
from carepost.ground.providers.settings import Settings, bound, fresh, secret

_WHAT: Final = "HashiCorp Vault"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class _Data(msgspec.Struct):
    ciphertext: str = ""
    plaintext: str = ""


class _Auth(msgspec.Struct):
    client_token: str = ""


class _Reply(msgspec.Struct):
    data: _Data | None = None
    auth: _Auth | None = None
    errors: list[str] = []


def provider(settings: Settings, environ: Mapping[str, str]) -> "Vault":
    return Vault(settings, environ)


class Vault:
    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        if not _NAME.fullmatch(settings.key) or not re.fullmatch(r"[A-Za-z0-9/_.-]{1,200}", settings.mount):
            raise ConfigError("The name of the key or mount in Vault’s Transit is not well formed.")
        if settings.auth not in ("token", "approle"):
            raise ConfigError("Vault is signed in to by token or by approle.")
        self._settings = settings
        self._base = calling.check(settings.url, _WHAT)
        self._environ = environ
        self._token = ""

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        sent = {"plaintext": _b64(key), "associated_data": _b64(bound(context))}
        data = self._transit("encrypt", sent)
        if not data.ciphertext.startswith("vault:"):
            raise _wrong()
        return data.ciphertext.encode("ascii")

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        sent = {"ciphertext": wrapped.decode("ascii", "replace"), "associated_data": _b64(bound(context))}
        try:
            return base64.b64decode(self._transit("decrypt", sent).plaintext, validate=True)
        except (binascii.Error, ValueError):
            raise _wrong() from None

    def new(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        key = fresh()
        return key, self.wrap(key, context)

    def words(self) -> str:
        return f"{_WHAT} at {self._base}, key {self._settings.key}"

    def close(self) -> None:
        self._token = ""

    def _transit(self, verb: str, sent: dict[str, str]) -> _Data:
        path = f"{self._base}/v1/{quote(self._settings.mount)}/{verb}/{quote(self._settings.key)}"
        reply = self._ask(path, sent, {"X-Vault-Token": self._signed_in()})
        if reply.data is None:
            raise _wrong()
        return reply.data

    def _signed_in(self) -> str:
        if self._token:
            return self._token
        if self._settings.auth == "token":
            self._token = secret(self._environ, "a Vault token")
            return self._token
        role, colon, secret_id = secret(self._environ, "a Vault AppRole, as role_id:secret_id").partition(":")
        if not colon:
            raise ConfigError("The Vault AppRole is given as role_id:secret_id.")
        reply = self._ask(f"{self._base}/v1/auth/approle/login", {"role_id": role, "secret_id": secret_id}, {})
        if reply.auth is None or not reply.auth.client_token:
            raise _wrong()
        self._token = reply.auth.client_token
        return self._token

    def _ask(self, url: str, sent: dict[str, str], headers: dict[str, str]) -> _Reply:
        if self._settings.namespace:
            headers = headers | {"X-Vault-Namespace": self._settings.namespace}
        headers = headers | {"Content-Type": "application/json", "X-Vault-Request": "true"}
        answer = calling.post(url, headers, msgspec.json.encode(sent), ca=self._settings.ca, what=_WHAT)
        if answer.status == 200:
            try:
                return msgspec.json.decode(answer.body, type=_Reply)
            except msgspec.MsgspecError:
                raise _wrong() from None
        raise ConfigError(_refused(answer.status, self._settings.key))


def _refused(status: int, key: str) -> str:
    if status == 403:
        return f"{_WHAT} does not let us use the key {key}: its token ran out, or its policy lacks encrypt and decrypt."
    if status == 404:
        return f"{_WHAT} has no such key or mount: see vault read transit/keys/{key}."
    if status == 400:
        return f"{_WHAT} cannot decrypt the keyring by the key {key}: it is another key, or the keyring was changed."
    if status == 503:
        return f"{_WHAT} is sealed or in maintenance; unseal it, and start again."
    return f"{_WHAT} answered {status}; see its log, and start again."


def _wrong() -> ConfigError:
    return ConfigError(f"What answered is no {_WHAT}; see the address of the keyring: carepost keyring show")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
