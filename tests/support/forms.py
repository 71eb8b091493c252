"""A person with a simple browser before a face of a home: cookies, the forms on the last page, redirects followed."""

import http.client
import re
import urllib.parse
import uuid
from collections.abc import Sequence

from tests.support.house import House

#: (field, file name, content)
Upload = tuple[str, str, bytes]


class Person:
    """`text` is the last page, `path` where it stands. Fails on an answer that is none of `expected`."""

    def __init__(self, house: House, face: str = "portal") -> None:
        """`face`: portal or console."""
        self._port = house.ports[face]
        self._cookies: dict[str, str] = {}
        self.text = ""
        self.path = ""

    def get(self, path: str, expected: Sequence[int] = (200,)) -> str:
        return self._ask("GET", path, None, {}, expected)

    def post(
        self, path: str, fields: dict[str, str], files: Sequence[Upload] = (), expected: Sequence[int] = (200,)
    ) -> str:
        """As the form on the last page would: with its hidden token."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text)
        values = {**fields, **({"csrfmiddlewaretoken": found[1]} if found else {})}
        if not files:
            raw, kind = urllib.parse.urlencode(values).encode(), "application/x-www-form-urlencoded"
        else:
            raw, kind = _multipart(values, files)
        return self._ask("POST", path, raw, {"Content-Type": kind}, expected)

    def _ask(self, method: str, path: str, raw: bytes | None, more: dict[str, str], expected: Sequence[int]) -> str:
        for _ in range(5):
            status, location = self._once(method, path, raw, more)
            if status not in (301, 302, 303):
                break
            # a form's answer is shown by GET
            method, path, raw, more = "GET", urllib.parse.urljoin(path, location), None, {}
        assert status in expected, (method, self.path, status, self.text[:2000])
        return self.text

    def _once(self, method: str, path: str, raw: bytes | None, more: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self._port, timeout=30)
        origin = f"http://localhost:{self._port}"
        fields = {"Cookie": "; ".join(f"{n}={v}" for n, v in self._cookies.items()), "Origin": origin, **more}
        try:
            connection.request(method, path, raw, fields)
            answer = connection.getresponse()
            self.text, self.path = answer.read().decode(errors="replace"), path
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            return answer.status, answer.getheader("Location") or ""
        finally:
            connection.close()


def _multipart(fields: dict[str, str], files: Sequence[Upload]) -> tuple[bytes, str]:
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for field, name, content in files:
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    return b"".join([*parts, f"--{edge}--\r\n".encode()]), f"multipart/form-data; boundary={edge}"
