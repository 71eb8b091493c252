"""After protection mail goes back through the tenant's own system, which has to prove itself before we sign in."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import aiosmtplib
import pytest

from carepost.directory.gateways import LOOP_FIELD, OAUTH, PASSWORD, RETURN, SECRET_FIELD, Login, Settings, loop_mark
from carepost.policy.types import Assurance, Rule
from carepost.wire.types import Accepted
from tests.support.certificates import Ca
from tests.support.delivering import BY_MAIL, body, side
from tests.support.fronts import PROVIDER, Fronted
from tests.support.mailhost import MailHost

BACK = Settings(
    shared_names=(f"*.{PROVIDER.partition('.')[2]}",), mode=RETURN, host="relay.willow-mail.test", vouched=True
)
PASS = Login(PASSWORD, "carepost@willow.test", "an-invented-word")
TOKENS = Login(
    OAUTH, "carepost@willow.test", token_url="https://login.provider.test/tenant/token", client_id="app-1",
    client_secret="an-invented-secret", scope="https://outlook.office365.com/.default",
)  # fmt: skip
OFFERS = ("PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER")


def relay(ca: Ca, *, offers: tuple[str, ...] = OFFERS, auth: tuple[str, ...] = ("235 2.7.0 welcome",)) -> MailHost:
    """The tenant's own host."""
    return MailHost(ca.leaf("relay.willow-mail.test").context(), offers=offers, says={"AUTH": auth})


def with_secret(world: Fronted, **how: str) -> bytes:
    extra = how.pop("extra", "")
    return body(extra=f"{SECRET_FIELD}: {world.secret}\r\n{extra}", **how)


@contextlib.asynccontextmanager
async def tokens(
    ca: Ca, *answers: tuple[int, object]
) -> AsyncIterator[tuple[tuple[str, int], list[dict[str, list[str]]]]]:
    """A stand-in for the provider's token endpoint: one answer a request, the last one kept."""
    asked: list[dict[str, list[str]]] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        asked.append(parse_qs((await reader.readexactly(length)).decode()) | {"path": [head.split(" ")[1]]})
        status, answer = left.pop(0) if len(left) > 1 else left[0]
        data = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        )
        writer.write(data)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ca.leaf("login.provider.test").context())
    try:
        yield server.sockets[0].getsockname()[:2], asked
    finally:
        server.close()


async def test_it_goes_back_signed_in_and_marked_and_comes_no_third_time(ca: Ca) -> None:
    back = relay(ca)
    async with Fronted({"relay.willow-mail.test": back}, side("there.test"), ca, settings=BACK, login=PASS) as world:
        handed = await world.hand_over(with_secret(world))
        await world.ended(_accepted(handed))
        ((envelope, sent),) = back.messages
        assert envelope[1].startswith("RCPT TO:<jane.roe@there.test>")
        mark = loop_mark(world.keys, "willow-front")
        assert sent.startswith(f"{LOOP_FIELD}: {mark}\r\n".encode())
        assert world.secret.encode() not in sent
        said = [one for one in back.commands if one.startswith("AUTH ")]
        assert said == ["AUTH PLAIN " + base64.b64encode(b"\0carepost@willow.test\0an-invented-word").decode()]
        (done,) = await world.events("delivery.sent")
        assert done.facts["gateway"] == "willow-front" and done.facts["achieved"] == "VERIFIED"
        # the tenant's rule has a hole, and hands over once more what it got back
        with pytest.raises(aiosmtplib.SMTPDataError) as loop:
            await world.hand_over(f"{SECRET_FIELD}: {world.secret}\r\n".encode() + sent)
        assert loop.value.code == 554 and loop.value.message.startswith("5.4.6 ")


async def test_a_mark_that_is_not_ours_is_taken_out_and_says_nothing(ca: Ca) -> None:
    back = relay(ca)
    async with Fronted({"relay.willow-mail.test": back}, side("there.test"), ca, settings=BACK, login=PASS) as world:
        await world.hand_over(with_secret(world, extra=f"{LOOP_FIELD}: somebody-wrote-this\r\n"))
        await back.wait(1)
        assert b"somebody-wrote-this" not in back.messages[0][1]


async def test_what_must_reach_more_than_the_tenant_attests_goes_out_directly(ca: Ca) -> None:
    back, there = relay(ca), MailHost(ca.leaf("mx.there.test").context())
    hosts = {"relay.willow-mail.test": back, "mx.there.test": there}
    zone = side("there.test")
    for settings, rules, signed in (
        (Settings(shared_names=BACK.shared_names, mode=RETURN, host=BACK.host), (BY_MAIL,), ()),
        (BACK, (BY_MAIL, Rule("strict", floor=Assurance.AUTHENTICATED)), ("there.test", "mx.there.test")),
    ):
        async with Fronted(hosts, zone, ca, settings=settings, login=PASS, rules=rules, signed=signed) as world:
            await world.hand_over(with_secret(world))
            await there.wait(1)
            assert back.messages == [] and LOOP_FIELD.encode() not in there.messages[0][1]
            there.messages.clear()


async def test_a_host_that_does_not_prove_itself_gets_neither_password_nor_mail(ca: Ca) -> None:
    for context in (Ca("Another CA").leaf("relay.willow-mail.test").context(), ca.leaf("other.test").context(), None):
        back = MailHost(context, offers=OFFERS)
        async with Fronted(
            {"relay.willow-mail.test": back}, side("there.test"), ca, settings=BACK, login=PASS
        ) as world:
            said = await world.hand_over(with_secret(world))
            waiting = await world.deferred(_accepted(said))
            assert waiting.method == "tls"
            assert not any(one.startswith(("AUTH", "MAIL")) for one in back.commands)
            assert back.messages == [] and all(not one for one in back.bodies)


async def test_a_refused_sign_in_waits_and_says_so_without_the_servers_words(ca: Ca) -> None:
    back = relay(ca, auth=("535 5.7.8 carepost@willow.test is locked",))
    async with Fronted({"relay.willow-mail.test": back}, side("there.test"), ca, settings=BACK, login=PASS) as world:
        waiting = await world.deferred(_accepted(await world.hand_over(with_secret(world))))
        assert waiting.reason == "sign-in-refused" and "Gateway" in waiting.words
        assert "locked" not in waiting.words + waiting.attempts[-1].reply
        assert back.messages == []


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_oauth_asks_for_a_token_once_and_anew_when_it_is_refused(ca: Ca, mechanism: str) -> None:
    back = relay(ca, offers=(f"AUTH {mechanism}",), auth=(
        "235 2.7.0 welcome", "334 eyJzdGF0dXMiOiI0MDEifQ==", "235 2.7.0 welcome",
    ))  # fmt: skip
    back.says["AQ=="] = ["535 5.7.3 expired"]
    back.says[""] = ["535 5.7.3 expired"]
    answers = (
        (200, {"access_token": "token-one", "expires_in": 3600}),
        (200, {"access_token": "token-two", "expires_in": "3600"}),
    )
    async with tokens(ca, *answers) as (address, asked):
        zone = side("there.test") | {("login.provider.test", "A"): "8.8.4.4"}
        async with Fronted(
            {"relay.willow-mail.test": back}, zone, ca, settings=BACK, login=TOKENS,
            dial={"login.provider.test": address},
        ) as world:  # fmt: skip
            await world.ended(_accepted(await world.hand_over(with_secret(world))))
            said = [_decoded(one) for one in back.commands if one.startswith("AUTH ")]
            assert said[0].endswith("auth=Bearer token-one\x01\x01")
            if mechanism == "XOAUTH2":
                assert said[0].startswith("user=carepost@willow.test\x01")
            else:
                assert said[0].startswith("n,a=carepost@willow.test,\x01host=relay.willow-mail.test\x01port=")
            # the connection is still there: it is used again without another sign-in
            await world.ended(_accepted(await world.hand_over(with_secret(world))))
            assert len(asked) == 1 and asked[0]["grant_type"] == ["client_credentials"]
            assert asked[0]["path"] == ["/tenant/token"] and asked[0]["client_secret"] == ["an-invented-secret"]
            for connection in [one for pool in world.courier._pools.values() for one in pool.idle]:
                connection.abort("lost")
            await world.ended(_accepted(await world.hand_over(with_secret(world))))
            assert len(asked) == 2
            assert _decoded([one for one in back.commands if one.startswith("AUTH ")][-1]).endswith("token-two\x01\x01")


async def test_without_a_token_it_waits(ca: Ca) -> None:
    back = relay(ca)
    async with tokens(ca, (400, {"error": "invalid_client"})) as (address, asked):
        zone = side("there.test") | {("login.provider.test", "A"): "8.8.4.4"}
        login = Login(
            OAUTH, "u", token_url="https://login.provider.test/t", client_id="a", refresh_token="r-1", scope="s"
        )
        async with Fronted(
            {"relay.willow-mail.test": back}, zone, ca, settings=BACK, login=login,
            dial={"login.provider.test": address},
        ) as world:  # fmt: skip
            waiting = await world.deferred(_accepted(await world.hand_over(with_secret(world))))
            assert waiting.reason == "sign-in-no-token"
            assert asked[0]["grant_type"] == ["refresh_token"] and asked[0]["refresh_token"] == ["r-1"]
            assert back.messages == []


def _decoded(command: str) -> str:
    return base64.b64decode(command.split(" ")[2]).decode()


def _accepted(said: str) -> Accepted:
    return Accepted(said.split()[-1], ())
