"""Stand-ins of Vault's Transit and AWS KMS: they speak the documented API over TLS, with real AES-GCM, and check what
the real ones check. Loopback, a port of the system's choice."""

import abc
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Keeper(abc.ABC):
    """`keys`: name -> versions, newest last. `asked`: path or target of each request."""

    def __init__(self, folder: Path) -> None:
        self.keys: dict[str, list[bytes]] = {"carepost": [os.urandom(32)]}
        self.asked: list[str] = []
        self.sealed = False
        authority = trustme.CA()
        self.ca = folder / "keeper-ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(self._tls)
        self.url = ""

    @abc.abstractmethod
    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Status and JSON of one request."""

    @contextmanager
    def running(self) -> Iterator["Keeper"]:
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, said = keeper.answer(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                raw = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _seal(self, name: str, plain: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + AESGCM(self.keys[name][-1]).encrypt(nonce, plain, bound)

    def _open(self, name: str, version: int, sealed: bytes, bound: bytes) -> bytes | None:
        try:
            return AESGCM(self.keys[name][version]).decrypt(sealed[:12], sealed[12:], bound)
        except (InvalidTag, IndexError, ValueError):
            return None


class Vault(Keeper):
    """Secrets engine Transit, and AppRole."""

    def __init__(self, folder: Path, token: str = "hvs.invented", role: str = "role:secret") -> None:
        super().__init__(folder)
        self.token, self.role = token, role

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        self.asked.append(path)
        given = json.loads(body)
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if path == "/v1/auth/approle/login":
            if f"{given['role_id']}:{given['secret_id']}" != self.role:
                return 400, {"errors": ["invalid role or secret ID"]}
            return 200, {"auth": {"client_token": self.token, "lease_duration": 3600}}
        if headers.get("x-vault-token") != self.token:
            return 403, {"errors": ["permission denied"]}
        _, _, mount, verb, name = path.split("/")
        if mount != "transit" or name not in self.keys:
            return 404, {"errors": []}
        bound = base64.b64decode(given["associated_data"])
        if verb == "encrypt":
            sealed = self._seal(name, base64.b64decode(given["plaintext"]), bound)
            version = len(self.keys[name])
            return 200, {"data": {"ciphertext": f"vault:v{version}:{base64.b64encode(sealed).decode()}"}}
        _, version_word, text = given["ciphertext"].split(":")
        plain = self._open(name, int(version_word[1:]) - 1, base64.b64decode(text), bound)
        if plain is None:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}


class Kms(Keeper):
    """AWS KMS: every request's signature is computed anew from what came (Signature Version 4)."""

    ACCESS, SECRET = "AKIDINVENTED", "invented/secret+key"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        verb = headers["x-amz-target"].removeprefix("TrentService.")
        self.asked.append(verb)
        if self.sealed:
            return 500, {"__type": "KMSInternalException"}
        fault = self._unsigned(path, headers, body)
        if fault:
            return 400, {"__type": fault}
        given = json.loads(body)
        name = given["KeyId"]
        if name not in self.keys:
            return 400, {"__type": "com.amazonaws.kms#NotFoundException"}
        bound = json.dumps(given.get("EncryptionContext", {}), sort_keys=True).encode()
        if verb == "Decrypt":
            plain = self._open(name, 0, base64.b64decode(given["CiphertextBlob"]), bound)
            if plain is None:
                return 400, {"__type": "InvalidCiphertextException"}
            return 200, {"KeyId": name, "Plaintext": base64.b64encode(plain).decode()}
        plain = os.urandom(32) if verb == "GenerateDataKey" else base64.b64decode(given["Plaintext"])
        said = {"KeyId": name, "CiphertextBlob": base64.b64encode(self._seal(name, plain, bound)).decode()}
        if verb == "GenerateDataKey":
            assert given["KeySpec"] == "AES_256"
            said["Plaintext"] = base64.b64encode(plain).decode()
        return 200, said

    def _unsigned(self, path: str, headers: dict[str, str], body: bytes) -> str:
        said = headers.get("authorization", "")
        fields = dict(part.strip().split("=", 1) for part in said.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        access, day, region, service, _ = fields["Credential"].split("/")
        if access != self.ACCESS:
            return "UnrecognizedClientException"
        when = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        if abs((datetime.datetime.now(datetime.UTC) - when).total_seconds()) > 300 or service != "kms":
            return "InvalidSignatureException"
        names = fields["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-target"} <= set(names):
            return "InvalidSignatureException"
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
        asked = f"POST\n{path}\n\n{lines}\n{fields['SignedHeaders']}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{region}/{service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
        key = ("AWS4" + self.SECRET).encode()
        for word in (day, region, service, "aws4_request"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        good = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return "" if hmac.compare_digest(good, fields["Signature"]) else "InvalidSignatureException"
