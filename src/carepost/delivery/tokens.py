"""Access tokens for hosts where we sign in (RFC 6749 4.4 and 6): fetched over TLS, kept until shortly before their end.

No redirect, nothing of the answer in a log; a token endpoint that fails leaves the mail waiting, never without AUTH."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from carepost.delivery import https, mx
from carepost.delivery.resolver import Resolver
from carepost.directory.gateways import Login
from carepost.ground import clock, log, metrics

#: seconds before its end at which a token is asked for anew, and that one lasts which says nothing of its end
EARLY: Final = 60.0
LASTS: Final = 300.0
SECONDS: Final = 20.0
LARGEST: Final = 65_536
KEPT: Final = 1024


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float | None = None


class TokenRefused(Exception):
    """No token was to be had."""


_answer = msgspec.json.Decoder(_Answer, strict=False)


class Tokens:
    """One an engine."""

    def __init__(
        self, resolver: Resolver, tls: ssl.SSLContext, *, dial: Mapping[str, tuple[str, int]] | None = None
    ) -> None:
        self._resolver = resolver
        self._tls = tls
        self._dial = dict(dial or {})
        self._known: OrderedDict[Login, tuple[str, float]] = OrderedDict()
        self._asking: dict[Login, asyncio.Task[str]] = {}

    async def token(self, login: Login, *, fresh: bool = False) -> str:
        """`fresh`: the one that is known was refused. Raises TokenRefused."""
        known = self._known.get(login)
        if known is not None and not fresh and known[1] > clock.monotonic():
            return known[0]
        task = self._asking.get(login)
        if task is None:
            task = asyncio.ensure_future(self._fetch(login))
            self._asking[login] = task
            task.add_done_callback(lambda _: self._asking.pop(login, None))
        return await asyncio.shield(task)

    async def _fetch(self, login: Login) -> str:
        metrics.count("tokens_fetched")
        parts = urlsplit(login.token_url)
        host, path = parts.hostname or "", parts.path or "/"
        there = await mx.reach(self._resolver, host, parts.port or 443, implicit=True, dial=self._dial)
        if not there.addresses:
            raise TokenRefused("no-address")
        try:
            raw = await https.exchange(
                host, path + (f"?{parts.query}" if parts.query else ""), address=there.addresses[0], port=there.port,
                tls=self._tls, limit=LARGEST, data=_asked(login), kind="application/x-www-form-urlencoded",
                seconds=SECONDS,
            )  # fmt: skip
            answer = _answer.decode(raw)
        except (OSError, TimeoutError, msgspec.DecodeError) as error:
            log.event("token-refused", error=type(error).__name__)
            raise TokenRefused("refused") from None
        if not answer.access_token.isascii() or not answer.access_token.isprintable() or not answer.access_token:
            raise TokenRefused("malformed")
        lasts = answer.expires_in if answer.expires_in is not None else LASTS
        self._known[login] = (answer.access_token, clock.monotonic() + max(0.0, lasts - EARLY))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return answer.access_token


def _asked(login: Login) -> bytes:
    form = {"client_id": login.client_id}
    if login.client_secret:
        form["client_secret"] = login.client_secret
    if login.refresh_token:
        form |= {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
    else:
        form["grant_type"] = "client_credentials"
    if login.scope:
        form["scope"] = login.scope
    return urlencode(form).encode("ascii")
