"""Partners whose host is pinned: "always TLS to lab.test, with this key, from this CA, else hold" (capability A15)."""

import hashlib

import pytest

from carepost.directory.types import HOLD, PINNED_RULE, Route, pinned_rule
from carepost.policy.types import Access
from carepost.wire.types import AccessProof, Protection
from tests.support.delivering import BY_MAIL, Delivering, side
from tests.support.mailhost import Ca, MailHost, Pair, make

HOST = "mx.lab.test"
CODE = Protection(access=AccessProof(Access.CODE, "", "verifier"))


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def pin(pair: Pair) -> str:
    return hashlib.sha256(pair.spki).hexdigest()


def held_to(route: Route) -> dict[str, object]:
    """What the directory makes of a route with HOLD."""
    return {"routes": (route,), "rules": (BY_MAIL, pinned_rule(route))}


async def test_the_pinned_key_takes_mail_whoever_signed_its_certificate(ca: Ca) -> None:
    own = make(HOST, (HOST,))
    route = Route("lab.test", HOST, 25, pins=(pin(own),), otherwise=HOLD)
    async with Delivering({HOST: MailHost(own.context())}, side("lab.test"), ca, **held_to(route)) as willow:
        view = await willow.ended(await willow.submit("lab@lab.test"))
        assert (view.state, view.method, view.assurance, view.rule) == ("sent", "tls", "AUTHENTICATED", PINNED_RULE)
        told = await willow.preview("lab@lab.test")
        assert "Seen of the pinned next hop: an encrypted connection to an authenticated server." in told.words


async def test_another_key_at_the_pinned_host_holds_the_message_and_nothing_else_is_tried(ca: Ca) -> None:
    """Not the portal either, though a code is agreed: the organisation said, this host or nobody."""
    known, now = make(HOST, (HOST,)), ca.leaf(HOST)
    host = MailHost(now.context())
    route = Route("lab.test", HOST, 25, pins=(pin(known),), otherwise=HOLD)
    async with Delivering({HOST: host}, side("lab.test"), ca, **held_to(route)) as willow:
        view = await willow.ended(await willow.submit("lab@lab.test", protection=CODE))
        assert (view.state, view.rule, host.messages) == ("held", PINNED_RULE, [])
        assert view.attempts[-1].reason == "pin-mismatch"


async def test_a_preview_says_what_the_last_attempt_saw_of_this_pin_and_of_no_other(ca: Ca) -> None:
    known, now = make(HOST, (HOST,)), ca.leaf(HOST)
    route = Route("lab.test", HOST, 25, pins=(pin(known),), otherwise=HOLD)
    async with Delivering({HOST: MailHost(now.context())}, side("lab.test"), ca, **held_to(route)) as willow:
        assert (await willow.preview("lab@lab.test", protection=CODE)).state == "queued", "nobody has looked"
        await willow.ended(await willow.submit("lab@lab.test", protection=CODE))
        told = await willow.preview("other@lab.test", protection=CODE)
        assert (told.state, told.rule) == ("held", PINNED_RULE)
        assert "Seen of the pinned next hop: an encrypted connection." in told.words
        # what is answered at the door says so too
        again = (await willow.submit("other@lab.test", protection=CODE)).deliveries[0]
        assert told.words.startswith(again.words) and again.reason == told.reason
        # without HOLD the next method would be taken
        willow.change(routes=(Route("lab.test", HOST, 25, pins=route.pins),), rules=(BY_MAIL,))
        told = await willow.preview("lab@lab.test", protection=CODE)
        assert (told.state, told.method) == ("queued", "portal")
        # the key that is there now is pinned: what the other pin saw is forgotten
        right = Route("lab.test", HOST, 25, pins=(pin(now),), otherwise=HOLD)
        willow.change(**held_to(right))
        told = await willow.preview("lab@lab.test")
        assert (told.state, told.method) == ("queued", "tls") and "Seen of" not in told.words
        assert (await willow.ended(await willow.submit("lab@lab.test"))).state == "sent"
        willow.change(routes=(), rules=(BY_MAIL,))
        assert "pinned" not in (await willow.preview("lab@lab.test")).words


async def test_what_a_domain_s_own_hosts_were_says_nothing_of_a_pinned_one(ca: Ca) -> None:
    own = make(HOST, (HOST,))
    async with Delivering({HOST: MailHost(own.context())}, side("lab.test"), ca) as willow:
        await willow.ended(await willow.submit("lab@lab.test", protection=CODE))
        assert (await willow.preview("lab@lab.test", protection=CODE)).method == "portal", "nobody vouches for it"
        willow.change(**held_to(Route("lab.test", HOST, 25, pins=(pin(own),), otherwise=HOLD)))
        told = await willow.preview("lab@lab.test", protection=CODE)
        assert (told.state, told.method) == ("queued", "tls")
        assert (await willow.ended(await willow.submit("lab@lab.test", protection=CODE))).method == "tls"


async def test_without_else_hold_the_next_method_is_taken(ca: Ca) -> None:
    known, now = make(HOST, (HOST,)), ca.leaf(HOST)
    route = Route("lab.test", HOST, 25, pins=(pin(known),))
    host = MailHost(now.context())
    async with Delivering({HOST: host}, side("lab.test"), ca, routes=(route,)) as willow:
        view = await willow.ended(await willow.submit("lab@lab.test", protection=CODE))
        assert (view.state, view.method, host.messages) == ("deposited", "portal", [])


async def test_the_pinned_ca_and_a_pinned_key_are_both_needed(ca: Ca) -> None:
    good = ca.leaf(HOST)
    route = Route("lab.test", HOST, 25, ca.pem, ("0" * 64,), HOLD)
    async with Delivering({HOST: MailHost(good.context())}, side("lab.test"), ca, **held_to(route)) as willow:
        accepted = await willow.submit("lab@lab.test")
        assert (await willow.ended(accepted)).attempts[-1].reason == "pin-mismatch"
        both = Route("lab.test", HOST, 25, ca.pem, ("0" * 64, pin(good)), HOLD)
        willow.change(**held_to(both))
        assert (await willow.ended(await willow.submit("lab@lab.test"))).state == "sent"


async def test_a_pinned_host_that_is_away_is_tried_again_and_nothing_goes_another_way(ca: Ca) -> None:
    own = make(HOST, (HOST,))
    route = Route("lab.test", HOST, 25, pins=(pin(own),), otherwise=HOLD)
    dial = {HOST: ("127.0.0.1", 1)}
    async with Delivering({}, side("lab.test"), ca, dial=dial, patience=0, **held_to(route)) as willow:
        view = await willow.deferred(await willow.submit("lab@lab.test", protection=CODE))
        assert [attempt.reason for attempt in view.attempts][:1] == ["refused"]
