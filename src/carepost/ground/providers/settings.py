"""Which provider, as the keyring file says it: nothing of it is secret."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from carepost.ground import private
from carepost.ground.errors import ConfigError

KINDS: Final = ("vault", "kms", "pkcs11")
#: the token or AppRole, the access key, the PIN: never in the keyring file
SECRET: Final = "CAREPOST_KEYRING_SECRET"  # noqa: S105  a name


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`key`: its name in Vault's Transit, its id or ARN in KMS, its label in the token."""

    kind: str
    key: str
    #: vault: its address; kms: an endpoint in the place of the region's own
    url: str = ""
    #: PEM of the authority of `url`; "": those the system knows
    ca: str = ""
    #: vault: where Transit is mounted, `token` or `approle`, and the namespace
    mount: str = "transit"
    auth: str = "token"
    namespace: str = ""
    #: kms
    region: str = ""
    #: pkcs11: the library of the token's maker, and the token's label
    module: str = ""
    token: str = ""


class Provider(Protocol):
    """Every call asks the provider, and may take seconds. `context` names the keyring and the version: what was wrapped
    for one place opens in no other. Raises ConfigError, in one sentence that names the mend."""

    def wrap(self, key: bytes, context: Mapping[str, str]) -> bytes: ...

    def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> bytes: ...

    def new(self, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        """32 fresh bytes, and the same wrapped."""

    def words(self) -> str:
        """For people: which one, and which key."""

    def close(self) -> None: ...


def secret(environ: Mapping[str, str], what: str) -> str:
    """From CAREPOST_KEYRING_SECRET, or the file CAREPOST_KEYRING_SECRET_FILE names. Raises ConfigError."""
    given = environ.get(SECRET, "")
    file = environ.get(f"{SECRET}_FILE", "")
    if not given and file:
        try:
            if private.shared(Path(file)):
                raise ConfigError(f"{file} can be read by others; run: chmod 600 {file}")
            given = Path(file).read_text().strip()
        except OSError as error:
            raise ConfigError(f"{SECRET}_FILE names {file}, which cannot be read ({error.strerror}).") from None
    if not given:
        raise ConfigError(f"The keyring needs {what}: put it into a file of mode 600 and name it in {SECRET}_FILE.")
    return given


def bound(context: Mapping[str, str]) -> bytes:
    """The context as octets a provider authenticates."""
    return b"carepost\0" + b"\0".join([f"{name}={context[name]}".encode() for name in sorted(context)])


def fresh() -> bytes:
    return os.urandom(32)
