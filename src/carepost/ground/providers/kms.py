"""AWS KMS: GenerateDataKey, Encrypt and Decrypt with an encryption context, signed by Signature Version 4.

Of the credentials' ways: the environment (AWS_ACCESS_KEY_ID and what goes with it), or our own secret."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from carepost.ground import clock
from carepost.ground.errors import ConfigError
from carepost.ground.providers import calling, signing
from carepost.ground.providers.settings import Settings, secret

_WHAT: Final = "AWS KMS"


class _Reply(msgspec.Struct, rename="pascal"):
    ciphertext_blob: str = ""
    plaintext: str = ""


class _Fault(msgspec.Struct):
    type: str = msgspec.field(default="", name="__type")


def provider(settings: Settings, environ: Mapping[str, str]) -> "Kms":
    return Kms(settings, environ)


class Kms:
    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", settings.region):
            raise ConfigError("The region of AWS KMS is written as in eu-central-1.")
        if not re.fullmatch(r"[A-Za-z0-9:/_-]{1,2048}", settings.key):
            raise ConfigError("The key of AWS KMS is its id, ARN or alias/name.")
        self._settings = settings
        self._url = calling.check(settings.url or f"https://kms.{settings.region}.amazonaws.com", _WHAT) + "/"
        self._access = _access(environ)

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes:
        sent = {"KeyId": self._settings.key, "Plaintext": _b64(key), "EncryptionContext": dict(context)}
        return _raw(self._ask("Encrypt", sent).ciphertext_blob)

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        sent = {"KeyId": self._settings.key, "CiphertextBlob": _b64(wrapped), "EncryptionContext": dict(context)}
        return _raw(self._ask("Decrypt", sent).plaintext)

    def new(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        sent = {"KeyId": self._settings.key, "KeySpec": "AES_256", "EncryptionContext": dict(context)}
        reply = self._ask("GenerateDataKey", sent)
        return _raw(reply.plaintext), _raw(reply.ciphertext_blob)

    def words(self) -> str:
        return f"{_WHAT} in {self._settings.region}, key {self._settings.key}"

    def close(self) -> None:
        pass

    def _ask(self, verb: str, sent: Mapping[str, object]) -> _Reply:
        body = msgspec.json.encode(sent)
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"TrentService.{verb}"}
        headers = signing.sign(
            self._url, headers, body, self._access, region=self._settings.region, service="kms", at=clock.now()
        )
        answer = calling.post(self._url, headers, body, ca=self._settings.ca, what=_WHAT)
        try:
            if answer.status == 200:
                return msgspec.json.decode(answer.body, type=_Reply)
            fault = msgspec.json.decode(answer.body, type=_Fault).type.rpartition("#")[2]
        except msgspec.MsgspecError:
            raise _wrong() from None
        raise ConfigError(_refused(fault, answer.status, self._settings.key))


def _access(environ: Mapping[str, str]) -> signing.Access:
    name, word = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    if name and word:
        return signing.Access(name, word, environ.get("AWS_SESSION_TOKEN", ""))
    parts = secret(environ, "an access key of AWS, as id:secret or id:secret:session").split(":", 2)
    if len(parts) < 2:
        raise ConfigError("The access key of AWS is given as id:secret, or id:secret:session.")
    return signing.Access(*parts)


def _refused(fault: str, status: int, key: str) -> str:
    if fault in ("InvalidCiphertextException", "IncorrectKeyException"):
        return f"{_WHAT} cannot decrypt the keyring by the key {key}: it is another key, or the keyring was changed."
    if fault in ("NotFoundException", "DisabledException", "KMSInvalidStateException"):
        return f"{_WHAT} has no usable key {key}: it is not there, disabled, or waits to be deleted."
    if fault in ("AccessDeniedException",):
        return (
            f"{_WHAT} does not let us use the key {key}: kms:Encrypt, kms:Decrypt and kms:GenerateDataKey are needed."
        )
    if fault in ("UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"):
        return f"{_WHAT} does not know these credentials, or they ran out; or this clock is wrong."
    return f"{_WHAT} answered {status}{f' ({fault[:60]})' if fault.isalnum() else ''}; try again later."


def _raw(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong() from None
    if not found:
        raise _wrong()
    return found


def _wrong() -> ConfigError:
    return ConfigError(f"What answered is no {_WHAT}; see the address of the keyring: carepost keyring show")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
