"""Certificates of the listeners: a folder of `<host name>.pem` and `.key`, chosen by SNI, reloaded when changed."""

import ssl
from pathlib import Path

from carepost.ground import clock, log, suites
from carepost.ground.errors import ConfigError
from carepost.reception import pairs

#: seconds between looks at the folder; a look is one listing of a small folder, made when somebody connects
EVERY = 1.0


class Certificates:
    """`context` serves every name of the folder; a certificate replaced on disk is used from the next handshake on.

    Raises ConfigError when the folder holds no usable pair. A pair that breaks later keeps its last good form."""

    def __init__(self, folder: Path, hostname: str) -> None:
        self._folder = folder
        self._hostname = hostname
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._stamp: pairs.Stamp = ()
        self._looked_at = float("-inf")
        self.refresh()
        if not self._contexts:
            raise ConfigError(
                f"No certificate in {folder}: put {hostname}.pem (certificate and chain) and {hostname}.key there."
            )
        self.context = _fresh_context()
        self._load(self.context, self._default())
        # called at every handshake, also without a name: so a reload needs no new listener
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Looks at the folder at most once a second."""
        now = clock.monotonic()
        if now - self._looked_at < EVERY:
            return
        self._looked_at = now
        stamp = pairs.look(self._folder, self._stamp)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        names = {name.removesuffix(".key") for name, _, _ in stamp if name.endswith(".key")}
        contexts = {}
        for name in names & {name.removesuffix(".pem") for name, _, _ in stamp if name.endswith(".pem")}:
            context = _fresh_context()
            try:
                self._load(context, name)
            except (OSError, ssl.SSLError) as error:
                log.failure("certificate-unreadable", error)
                if name in self._contexts:
                    contexts[name] = self._contexts[name]
                continue
            contexts[name] = context
        if contexts:
            self._contexts = contexts

    def _load(self, context: ssl.SSLContext, name: str) -> None:
        context.load_cert_chain(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def _default(self) -> str:
        return self._hostname if self._hostname in self._contexts else min(self._contexts)

    def _choose(self, conn: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self.refresh()
        wanted = (name or "").lower()
        found = self._contexts.get(wanted) or self._contexts.get("*." + wanted.partition(".")[2])
        conn.context = found or self._contexts[self._default()]


def _fresh_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, forward secrecy and AEAD (RFC 9325), no renegotiation, no compression."""
    context = suites.direct(suites.modern(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)))
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    return context
