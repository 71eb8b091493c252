"""Who answers for revocation: `openssl ocsp` over a real index, and a web server that counts what it is asked."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.support.mailhost import free_port
from tests.support.smime import Authority, moment
from tests.support.waiting import until


class Web:
    """Plain HTTP on loopback: path -> (status, body), or a callable on the request's body."""

    def __init__(self, pages: dict[str, Any]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.address = ("127.0.0.1", 0)

    async def __aenter__(self) -> "Web":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = ("127.0.0.1", self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            self.asked.append(path)
            length = next((int(f[15:]) for f in head.split("\r\n") if f.lower().startswith("content-length:")), 0)
            body = await reader.readexactly(length)
            found = self.pages.get(path, (404, b""))
            status, answer, *more = found(body) if callable(found) else found
            fields = "".join(f"{one}\r\n" for one in more)
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(answer)}\r\n{fields}\r\n".encode() + answer)
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


class Responder:
    """`openssl ocsp` for one authority. `revoked`: serial numbers."""

    def __init__(self, folder: Path, authority: Authority, good: list[int], revoked: list[int]) -> None:
        self.folder, self.authority = folder, authority
        end = "350101000000Z"
        lines = [f"V\t{end}\t\t{serial:X}\tunknown\t/CN=x" for serial in good]
        lines += [
            f"R\t{end}\t{moment(authority_start(authority)):%y%m%d%H%M%SZ}\t{s:X}\tunknown\t/CN=x" for s in revoked
        ]
        (folder / "index.txt").write_text("\n".join(lines) + "\n")
        (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        key = authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "ca.key").write_bytes(key)
        self.port = free_port()

    def __enter__(self) -> "Responder":
        command = [
            "openssl", "ocsp", "-index", "index.txt", "-port", str(self.port), "-rsigner", "ca.pem", "-rkey", "ca.key",
            "-CA", "ca.pem", "-nmin", "10", "-ignore_err",
        ]  # fmt: skip
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(command, cwd=self.folder, stdout=self._log, stderr=self._log)
        until(
            lambda: b"waiting for OCSP" in (self.folder / "log").read_bytes(), within=10, what="the responder listens"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._log.close()


def authority_start(authority: Authority) -> int:
    return int(authority.certificate.not_valid_before_utc.timestamp() * 1_000_000)
