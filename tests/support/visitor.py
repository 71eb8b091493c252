"""A person's browser before the live portal or console, without script: cookies, forms with their token, no redirects
of its own accord to anybody else."""

import http.client
import re
import urllib.parse
import uuid
from http.cookies import SimpleCookie

import msgspec

from tests.support.house import House

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINK = re.compile(rb"http://[^/\s\"]+(/m/[A-Za-z0-9_-]{43})")


class Shown(msgspec.Struct, frozen=True):
    status: int
    #: lower case
    fields: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Visitor:
    """One person; `path` of the message's page is what the notice's link leads to. `side`: portal or console."""

    def __init__(self, house: House, side: str = "portal") -> None:
        self._port = house.ports[side]
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> Shown:
        return self._ask("GET", path, b"", {})

    def post(
        self, path: str, page: str = "", file: tuple[str, str, bytes] | None = None, seen: Shown | None = None,
        **fields: str,
    ) -> Shown:  # fmt: skip
        """The form of `page` (of `path` itself when not given), its token with it; `seen`: the form is this one, got
        before; `file`: (name, type, octets)."""
        found = _TOKEN.search((seen or self.get(page or path)).text)
        assert found, f"no form on {page or path}"
        fields["csrfmiddlewaretoken"] = found[1]
        if file is None:
            raw, kind = urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            mark = uuid.uuid4().hex
            raw, kind = _multipart(mark, fields, file), f"multipart/form-data; boundary={mark}"
        return self._ask("POST", path, raw, {"Content-Type": kind, "Origin": f"http://127.0.0.1:{self._port}"})

    def _ask(self, method: str, path: str, raw: bytes, fields: dict[str, str]) -> Shown:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            cookie = "; ".join(f"{name}={one.value}" for name, one in self._cookies.items())
            connection.request(method, path, raw, fields | ({"Cookie": cookie} if cookie else {}))
            answer = connection.getresponse()
            body = answer.read()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    self._cookies.load(value)
            return Shown(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
        finally:
            connection.close()


def link_in(notice: bytes) -> str:
    """The path of the message's page in a notice."""
    found = _LINK.search(notice)
    assert found, "no link in the notice"
    return found[1].decode()


def _multipart(mark: str, fields: dict[str, str], file: tuple[str, str, bytes]) -> bytes:
    pieces = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    name, kind, octets = file
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    )
    return "".join(pieces).encode() + head.encode() + octets + f"\r\n--{mark}--\r\n".encode()
