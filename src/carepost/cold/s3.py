"""What is needed of S3: an object is put, fetched, looked for and deleted, each request signed (Signature Version 4).

Every answer is bounded in time and size, none is followed elsewhere. TLS is verified; the address a name leads to is
judged, and the one that was judged is connected to. All verbs may be repeated: an object has one content for ever."""

import hashlib
import http.client
import ipaddress
import re
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

import msgspec

from carepost.ground import clock, outward, suites
from carepost.ground.errors import ConfigError, Unavailable
from carepost.ground.providers.signing import Access, sign

#: seconds until a connection stands, between two octets, and for one answer altogether
CONNECT: Final = 5.0
SILENT: Final = 15.0
#: the second, where a person waits
PATIENCE: Final = 6.0
WHOLE: Final = 60.0
#: octets of an answer that is no object
SAID: Final = 16_384
_PIECE: Final = 262_144
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: what S3 calls it -> ours
_FAULTS: Final = {
    "NoSuchBucket": "no-bucket",
    "NoSuchKey": "missing",
    "AccessDenied": "denied",
    "InvalidAccessKeyId": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "RequestTimeTooSkewed": "clock",
    "SlowDown": "busy",
    "AuthorizationHeaderMalformed": "region",
    "PermanentRedirect": "region",
}


class Away(Unavailable):
    """The store does not answer as it should. `word`: stable, says why."""

    def __init__(self, word: str) -> None:
        super().__init__(f"cold-{word}", "It is kept in the cold store, which cannot be reached now; try again.")
        self.word = word


class Place(msgspec.Struct, frozen=True):
    """Where a bucket is. `ca`: PEM, "" for the system's authorities. `sandbox`: loopback and plain HTTP are allowed."""

    endpoint: str
    region: str
    bucket: str
    style: str = "path"
    ca: str = ""
    sandbox: bool = False

    def check(self) -> "Place":
        """Itself. Raises ConfigError saying what cannot be."""
        parts = urlsplit(self.endpoint)
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("https", "http") or port == 0 or parts.path.strip("/") or parts.query or parts.username:
            raise ConfigError("The endpoint is written as https://host or https://host:port, and no more.")
        if not _literal(host) and not _HOST.fullmatch(host):
            raise ConfigError("The endpoint must name a host.")
        if parts.scheme == "http" and not self.sandbox:
            raise ConfigError("The endpoint must begin with https://: who carries it must not change what is kept.")
        if _literal(host) and not may(host, sandbox=self.sandbox):
            raise ConfigError("The endpoint lies where no store can be: loopback is for sandbox homes.")
        if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", self.region):
            raise ConfigError("The region is a word like eu-central-1.")
        if not _BUCKET.fullmatch(self.bucket):
            raise ConfigError("The bucket has 3 to 63 small letters, digits, dots and hyphens.")
        if self.style not in ("path", "host"):
            raise ConfigError("The style is path (endpoint/bucket) or host (bucket.endpoint).")
        if self.style == "host" and ("." in self.bucket or _literal(host)):
            raise ConfigError("By host, no certificate fits a bucket with dots or an address; use the style path.")
        _context(self)
        return self

    @property
    def host(self) -> str:
        host = urlsplit(self.endpoint).hostname or ""
        return f"{self.bucket}.{host}" if self.style == "host" else host

    @property
    def secure(self) -> bool:
        return self.endpoint.startswith("https:")

    @property
    def port(self) -> int:
        return urlsplit(self.endpoint).port or (443 if self.secure else 80)

    def url(self, name: str) -> str:
        """Of an object; of the bucket for ""."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port != (443 if self.secure else 80):
            host = f"{host}:{self.port}"
        path = f"/{self.bucket}/{name}" if self.style == "path" else f"/{name}"
        return f"{'https' if self.secure else 'http'}://{host}{path}"


class Store:
    """One bucket, by one thread. A connection is kept and used again."""

    def __init__(self, place: Place, access: Access, silent: float = SILENT) -> None:
        """`silent`: seconds between two octets."""
        self._place, self._access, self._silent = place, access, silent
        self._kept: http.client.HTTPConnection | None = None
        self._tls = _context(place)

    def put(self, name: str, data: bytes) -> None:
        """Raises Away."""
        self._ask("PUT", name, data)

    def get(self, name: str, size: int) -> bytes:
        """At most `size` octets and one. Raises Away: word `missing` where there is no such object."""
        return self._ask("GET", name, most=size + 1)

    def there(self, name: str) -> bool:
        """Raises Away."""
        try:
            self._ask("HEAD", name)
        except Away as away:
            if away.word == "missing":
                return False
            raise
        return True

    def delete(self, name: str) -> None:
        """Also where it is not there. Raises Away."""
        try:
            self._ask("DELETE", name)
        except Away as away:
            if away.word != "missing":
                raise

    def versioned(self) -> bool:
        """The bucket keeps what is deleted as former versions. Raises Away."""
        return b"<Status>Enabled</Status>" in self._ask("GET", "?versioning", most=SAID)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _ask(self, verb: str, name: str, body: bytes = b"", most: int = SAID) -> bytes:
        end = clock.monotonic() + WHOLE
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                return self._exchange(kept, verb, name, body, most, end)
            except Away as away:
                if away.word not in _BROKEN:
                    raise
        return self._exchange(self._connect(), verb, name, body, most, end)

    def _exchange(
        self, connection: http.client.HTTPConnection, verb: str, name: str, body: bytes, most: int, end: float
    ) -> bytes:
        url = self._place.url(name)
        parts = urlsplit(url)
        digest = hashlib.sha256(body).hexdigest()
        headers = {"x-amz-content-sha256": digest}
        if verb == "PUT":
            headers["content-type"] = "application/octet-stream"
        signed = sign(
            url, headers, body, self._access, region=self._place.region, service="s3", at=clock.now(), method=verb
        )
        done = False
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(verb, target, body or None, signed)
            answer = connection.getresponse()
            good = answer.status in (200, 204)
            found = _read(answer, most if good else SAID, end)
            done = answer.isclosed() and not answer.will_close
        except (OSError, http.client.HTTPException) as error:
            raise Away(_word(error)) from None
        finally:
            if done:
                self._kept = connection
            else:
                connection.close()
        if not good:
            raise Away(_said(answer.status, found))
        return found

    def _connect(self) -> http.client.HTTPConnection:
        place = self._place
        try:
            address = _address(place)
            connection = http.client.HTTPConnection(place.host, place.port, timeout=self._silent)
            # by itself it would connect again without looking where, and without TLS
            connection.auto_open = 0
            plain = socket.create_connection((address, place.port), min(CONNECT, self._silent))
            try:
                plain.settimeout(self._silent)
                connection.sock = self._tls.wrap_socket(plain, server_hostname=place.host) if self._tls else plain
            except BaseException:
                plain.close()
                raise
        except OSError as error:
            raise Away(_word(error)) from None
        return connection


#: a kept connection may end so at any time: once more on a fresh one
_BROKEN: Final = frozenset({"connection", "timeout"})


def may(address: str, *, sandbox: bool) -> bool:
    """Whether a store can be at this address. Private networks are the common place of one; whoever sets it has the
    machine in their hands."""
    ip = outward.plain(address)
    return ip is not None and not outward.nobodys(ip) and (sandbox or not ip.is_loopback)


def _address(place: Place) -> str:
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    for *_, where in found:
        if may(str(where[0]), sandbox=place.sandbox):
            return str(where[0])
    raise Away("address")


def _context(place: Place) -> ssl.SSLContext | None:
    if not place.secure:
        return None
    try:
        return suites.modern(ssl.create_default_context(cadata=place.ca or None))
    except (ssl.SSLError, ValueError):
        raise ConfigError("The authority of the cold store is no certificate in PEM.") from None


def _read(answer: http.client.HTTPResponse, most: int, end: float) -> bytes:
    found = bytearray()
    while len(found) < most:
        if clock.monotonic() > end:
            raise TimeoutError
        piece = answer.read(min(_PIECE, most - len(found)))
        if not piece:
            break
        found += piece
    return bytes(found)


def _said(status: int, body: bytes) -> str:
    match = _CODE.search(body)
    word = _FAULTS.get(match.group(1).decode() if match else "")
    if word:
        return word
    if status == 404:
        return "missing"
    if status in (401, 403):
        return "denied"
    return "busy" if status in (429, 503) else "region" if 300 <= status < 400 else "answer"


def _word(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "dns"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "connection"


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
