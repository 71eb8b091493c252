"""TLS of a gateway's listener: it asks the peer for a certificate, and takes any, or none; whom it proves is judged
afterwards.

Python's own `ssl` lets OpenSSL judge a client's certificate during the handshake, and that refuses one without the use
"client authentication", which public authorities no longer put into any (Chrome's root rule of 2026-06-15). Here the
handshake proves that the peer holds its key, and no more."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from carepost.ground import clock, log
from carepost.ground.errors import ConfigError
from carepost.ground.suites import TLS12
from carepost.reception import pairs

#: seconds between looks at the folder
EVERY: Final = 1.0
#: octets taken from OpenSSL at once
_PIECE: Final = 65_536
#: certificates of a chain that are looked at
_CHAIN: Final = 10


class PeerCertificates:
    """The listener's certificate: `<host name>.pem` and `.key` in the folder, read again when they change. Raises
    ConfigError when there is no usable pair."""

    def __init__(self, folder: Path, hostname: str) -> None:
        self._folder = folder
        self._hostname = hostname
        self._stamp: pairs.Stamp = ()
        self._context: SSL.Context | None = None
        self._looked_at = float("-inf")
        if self.context() is None:
            raise ConfigError(
                f"No certificate in {folder}: put {hostname}.pem (certificate and chain) and {hostname}.key there."
            )

    def context(self) -> SSL.Context | None:
        now = clock.monotonic()
        if now - self._looked_at < EVERY:
            return self._context
        self._looked_at = now
        stamp = pairs.look(self._folder, self._stamp)
        if stamp == self._stamp:
            return self._context
        self._stamp = stamp
        names = [name for name, _, _ in stamp]
        for name in (self._hostname, *sorted({one.rpartition(".")[0] for one in names})):
            if f"{name}.pem" in names and f"{name}.key" in names:
                try:
                    self._context = _context(self._folder / f"{name}.pem", self._folder / f"{name}.key")
                    break
                except (OSError, SSL.Error) as error:
                    log.failure("certificate-unreadable", error)
        return self._context


def _context(certificate: Path, key: Path) -> SSL.Context:
    """TLS 1.2 or newer, forward secrecy and AEAD, as every other listener of ours."""
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    made.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    made.set_cipher_list(TLS12.encode())
    made.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    made.use_certificate_chain_file(str(certificate))
    made.use_privatekey_file(str(key))
    made.check_privatekey()
    made.set_session_id(b"carepost")
    made.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_CLIENT_ONCE, lambda *_: True)
    return made


class PeerTls(asyncio.Protocol, asyncio.Transport):
    """Stands between a TCP transport and the protocol above: its protocol, and its transport. `chain` after the
    handshake: DER, leaf first, empty where the peer showed none."""

    def __init__(
        self, context: SSL.Context, below: asyncio.Transport, above: asyncio.Protocol, done: "asyncio.Future[None]"
    ) -> None:
        super().__init__()
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()
        self._below = below
        self._above = above
        self._done = done
        self._closing = False
        self._stopped = False
        #: whoever waits for the handshake has gone on, and may be given what came behind it
        self._open = False
        self.chain: tuple[bytes, ...] = ()

    # a protocol, to the transport below

    def data_received(self, data: bytes) -> None:
        if self._stopped:
            return
        try:
            self._tls.bio_write(data)
            if not self._done.done():
                self._shake()
            if self._open:
                self._read()
        except SSL.Error as error:
            self._fault(error)

    def eof_received(self) -> bool:
        self._stopped = True
        if self._done.done():
            self._above.eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._stopped = True
        if not self._done.done():
            self._done.set_exception(ConnectionError("the peer went away during the handshake"))
        self._above.connection_lost(exc)

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()

    # a transport, to the protocol above

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self._stopped:
            return
        try:
            view = memoryview(bytes(data))
            while view:
                view = view[self._tls.send(view[:16_384]) :]
            self._flush()
        except SSL.Error as error:
            self._fault(error)

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        try:
            self._tls.shutdown()
            self._flush()
        except SSL.Error:
            # the other side ended without a word; there is nothing left to say
            pass
        self._below.close()

    def abort(self) -> None:
        self._closing = True
        self._below.abort()

    def is_closing(self) -> bool:
        return self._closing or self._below.is_closing()

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "peer_chain":
            return self.chain
        return self._below.get_extra_info(name, default)

    # TLS

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        self._flush()
        self.chain = _shown(self._tls)
        self._done.set_result(None)
        # after the waiter's own turn, which comes first
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._open = True
        try:
            self._read()
        except SSL.Error as error:
            self._fault(error)

    def _read(self) -> None:
        pieces: list[bytes] = []
        try:
            while True:
                pieces.append(self._tls.recv(_PIECE))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self._stopped = True
        self._flush()
        if pieces:
            self._above.data_received(b"".join(pieces))
        if self._stopped:
            self._above.eof_received()
            self.close()

    def _flush(self) -> None:
        pieces: list[bytes] = []
        try:
            while True:
                pieces.append(self._tls.bio_read(_PIECE))
        except SSL.WantReadError:
            pass
        if pieces:
            self._below.write(b"".join(pieces))

    def _fault(self, error: Exception) -> None:
        """Not TLS, or broken: what can be told of it has been written."""
        if not self._done.done():
            try:
                self._flush()
            except SSL.Error:
                pass
            self._done.set_exception(ConnectionError("the handshake failed"))
        self._stopped = True
        self._below.close()


async def secure(context: SSL.Context, below: asyncio.Transport, above: asyncio.Protocol, seconds: float) -> PeerTls:
    """The transport to go on with. Raises OSError, TimeoutError; the connection is gone then."""
    done = asyncio.get_running_loop().create_future()
    made = PeerTls(context, below, above, done)
    below.set_protocol(made)
    below.resume_reading()
    async with asyncio.timeout(seconds):
        await done
    return made


def _shown(tls: SSL.Connection) -> tuple[bytes, ...]:
    leaf = tls.get_peer_certificate(as_cryptography=True)
    if leaf is None:
        return ()
    rest = cast(Sequence[Any], tls.get_peer_cert_chain(as_cryptography=True) or ())
    first = leaf.public_bytes(Encoding.DER)
    found = [first, *(der for one in rest[:_CHAIN] if (der := one.public_bytes(Encoding.DER)) != first)]
    return tuple(found)
