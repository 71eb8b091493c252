"""AUTH as a client (RFC 4954): PLAIN, LOGIN, OAUTHBEARER (RFC 7628), XOAUTH2; after verified TLS, never before."""

import base64
from typing import Final, Protocol

from carepost.delivery.connection import Connection
from carepost.delivery.exchange import Ended
from carepost.delivery.tokens import TokenRefused
from carepost.directory.gateways import OAUTH, Login
from carepost.ground import metrics
from carepost.queue.types import Stage
from carepost.rfc.reply import Reply

#: words of an end, in `outcome.REASONS`
REFUSED: Final = "sign-in-refused"
NO_TOKEN: Final = "sign-in-no-token"  # noqa: S105  a reason
NOT_OFFERED: Final = "sign-in-not-offered"
SIGN_IN_LATER: Final = "sign-in-later"


class TokenSource(Protocol):
    """`tokens.Tokens`."""

    async def token(self, login: Login, *, fresh: bool = False) -> str: ...


async def sign_in(connection: Connection, login: Login, tokens: TokenSource) -> Ended | None:
    """None: signed in. The caller has measured the connection: it is encrypted, and the host is who it should be."""
    metrics.count("gateway_sign_ins")
    offered = connection.capabilities.auth
    if login.kind == OAUTH:
        mechanism = next((one for one in ("OAUTHBEARER", "XOAUTH2") if one in offered), "")
        return await _bearer(connection, login, tokens, mechanism)
    if "PLAIN" in offered:
        said = f"\0{login.username}\0{login.password}"
        return _ended(await connection.ask(f"AUTH PLAIN {_coded(said)}"))
    if "LOGIN" in offered:
        reply = await connection.ask("AUTH LOGIN")
        for word in (login.username, login.password):
            if reply is None or reply.code != 334:
                break
            reply = await connection.ask(_coded(word))
        return _ended(reply)
    return Ended(Stage.AUTH, None, NOT_OFFERED)


async def _bearer(connection: Connection, login: Login, tokens: TokenSource, mechanism: str) -> Ended | None:
    if not mechanism:
        return Ended(Stage.AUTH, None, NOT_OFFERED)
    for fresh in (False, True):
        try:
            token = await tokens.token(login, fresh=fresh)
        except TokenRefused:
            return Ended(Stage.AUTH, None, NO_TOKEN)
        if mechanism == "OAUTHBEARER":
            user = login.username.replace("=", "=3D").replace(",", "=2C")
            place = f"host={connection.host}\x01port={connection.port}"
            said = f"n,a={user},\x01{place}\x01auth=Bearer {token}\x01\x01"
        else:
            said = f"user={login.username}\x01auth=Bearer {token}\x01\x01"
        reply = await connection.ask(f"AUTH {mechanism} {_coded(said)}")
        if reply is not None and reply.code == 334:
            # the server's reason, in JSON: it is answered with one octet (RFC 7628 3.2.3), and the refusal follows
            reply = await connection.ask("AQ==" if mechanism == "OAUTHBEARER" else "")
        ended = _ended(reply)
        if ended is None or ended.error != REFUSED:
            return ended
    return ended


def _ended(reply: Reply | None) -> Ended | None:
    """The server's words stay here: a refusal may repeat what was said."""
    if reply is not None and reply.code == 235:
        return None
    return Ended(Stage.AUTH, None, REFUSED if reply is not None and reply.code // 100 == 5 else SIGN_IN_LATER)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
