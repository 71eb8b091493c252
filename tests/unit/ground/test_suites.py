"""Every TLS context of ours has forward secrecy and authenticated encryption, and nothing else (RFC 9325)."""

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from carepost.delivery import https
from carepost.delivery import tls as outgoing
from carepost.ground import suites
from carepost.processes import certificates
from carepost.reception.tls import Certificates

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    certificates.ensure(made, "localhost")
    return made


def contexts(folder: Path) -> dict[str, ssl.SSLContext]:
    return {
        "listeners": Certificates(folder, "localhost").context,
        "delivery": outgoing.context(),
        "delivery, classical": outgoing.context(classical=True),
        "policies and reports": https.context(),
    }


def test_no_context_offers_cbc_static_rsa_or_an_old_version(folder: Path) -> None:
    for name, context in contexts(folder).items():
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2, name
        offered = context.get_ciphers()
        assert len(offered) > 5, name
        for suite in offered:
            assert suite["aead"], (name, suite["name"])
            assert suite["kea"] in ("kx-any", "kx-ecdhe", "kx-dhe"), (name, suite["name"])
            assert suite["auth"] in ("auth-any", "auth-rsa", "auth-ecdsa"), (name, suite["name"])


def groups(context: ssl.SSLContext) -> list[int]:
    """The supported_groups of its first flight (RFC 8446 4.2.7)."""
    sent = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="mx.there.test").do_handshake()
    hello = sent.read()
    at = 43 + 1 + hello[43]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at] + 2
    while (kind := int.from_bytes(hello[at : at + 2], "big")) != 10:
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    size = int.from_bytes(hello[at + 4 : at + 6], "big")
    assert kind == 10
    return [int.from_bytes(hello[n : n + 2], "big") for n in range(at + 6, at + 6 + size, 2)]


def test_bi_040_the_second_try_offers_one_classical_group() -> None:
    """A hybrid key share makes a first flight that some boxes lose (standards 3.4, PQC)."""
    assert groups(outgoing.context(classical=True)) == [0x17]
    assert len(groups(outgoing.context())) > 1


@pytest.mark.parametrize(("client", "works"), [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
    ("ECDHE-ECDSA-AES256-SHA384", False), ("ECDHE-ECDSA-AES128-SHA", False),
])  # fmt: skip
def test_a_client_that_knows_only_old_suites_is_refused_at_the_handshake(
    folder: Path, client: str, works: bool
) -> None:
    """openssl as the client, against the listeners' own context."""
    with ThreadedServer(Certificates(folder, "localhost").context) as port:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-cipher", client, "-brief"],
            input=b"", capture_output=True, timeout=30,
        )  # fmt: skip
    assert (done.returncode == 0) is works, done.stderr.decode()


def test_what_is_made_modern_stays_with_tls_1_3() -> None:
    made = suites.modern(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert made.maximum_version == ssl.TLSVersion.MAXIMUM_SUPPORTED
    assert any(suite["protocol"] == "TLSv1.3" for suite in made.get_ciphers())


class ThreadedServer:
    """One handshake on an ephemeral loopback port."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        try:
            connection, _ = self._listening.accept()
            connection.settimeout(10)
            with self._context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            pass

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listening.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._thread.join(10)
