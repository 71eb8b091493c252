"""Files whose place a stranger names: keys of a Web Key Directory over HTTPS, revocation lists and OCSP over HTTP.

The address is checked after it was resolved and is the one connected to (BI-029), of each host anew; no redirect but to
hosts that were named beforehand; bounded in octets and seconds."""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

from carepost.delivery import https, mx
from carepost.delivery.https import Moved, NotHad
from carepost.delivery.mx import Reach
from carepost.delivery.resolver import Resolver

#: seconds for one file; addresses tried
SECONDS: Final = 5.0
TRIED: Final = 2
#: redirects of one file
MOVES: Final = 3
#: of an URL
MOST_URL: Final = 2_000
_PORTS: Final = {"https": 443, "http": 80}


class Url:
    """`https://host/path?query` in parts. Raises NotHad("url") for anything a file has no business in."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_URL or not text.isascii() or any(c <= " " or c == "\x7f" for c in text):
            raise NotHad("url")
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise NotHad("url") from None
        if parts.scheme not in _PORTS or not host or parts.username is not None or mx.literal(host):
            raise NotHad("url")
        if port not in (None, _PORTS[parts.scheme]):
            raise NotHad("url")
        self.secure = parts.scheme == "https"
        self.host = host.rstrip(".").lower()
        self.port = _PORTS[parts.scheme]
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class KeyFetch:
    def __init__(
        self,
        resolver: Resolver,
        tls: ssl.SSLContext,
        *,
        dial: Mapping[str, tuple[str, int]] | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`dial`: the sandbox's table, host -> (address, port); in all other homes empty."""
        self._resolver = resolver
        self._tls = tls
        self._dial = dict(dial or {})
        self._seconds = seconds

    async def get(self, url: str, limit: int, *, plain: bool = False, within: Collection[str] = ()) -> bytes:
        """`plain`: http is allowed, for what is signed itself. `within`: hosts to which a redirect may lead, over https
        alone. All of it within the seconds of one file. Raises OSError (NotHad with a code: no-address, private,
        status, moved, too-long, cut-off, …), TimeoutError."""
        async with asyncio.timeout(self._seconds):
            for _ in range(MOVES):
                try:
                    return await self._exchange(url, limit, b"", "", plain)
                except Moved as moved:
                    url = _followed(url, moved, within)
            return await self._exchange(url, limit, b"", "", plain)

    async def post(self, url: str, data: bytes, kind: str, limit: int, *, plain: bool = False) -> bytes:
        """As `get`, with what is asked in the body."""
        return await self._exchange(url, limit, data, kind, plain)

    async def _exchange(self, url: str, limit: int, data: bytes, kind: str, plain: bool) -> bytes:
        there = Url(url)
        if not there.secure and not plain:
            raise NotHad("url")
        async with asyncio.timeout(self._seconds):
            reach = await self._reach(there)
            failure: OSError = NotHad(reach.fault or "no-address")
            for address in reach.addresses[:TRIED]:
                try:
                    return await https.exchange(
                        there.host, there.path, address=address, port=reach.port,
                        tls=self._tls if there.secure else None, limit=limit, data=data, kind=kind,
                    )  # fmt: skip
                except NotHad:
                    raise
                except OSError as error:
                    failure = error
            raise failure

    async def _reach(self, there: Url) -> Reach:
        return await mx.reach(self._resolver, there.host, there.port, implicit=True, dial=self._dial)


def _followed(url: str, moved: Moved, within: Collection[str]) -> str:
    """Raises NotHad("moved") where nobody allowed it to lead."""
    try:
        new = urljoin(url, moved.location)
        there = Url(new)
    except (ValueError, NotHad):
        raise NotHad("moved") from None
    if not there.secure or there.host not in within:
        raise NotHad("moved")
    return new
