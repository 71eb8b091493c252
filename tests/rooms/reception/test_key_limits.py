"""What stands among a key's scopes: how much it may ask, and that all it sends is a test."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from carepost.directory import keywords
from carepost.reception.http.limits import HttpLimits
from carepost.reception.http.rate import Rate
from tests.support.live import LiveHttp

PATH = "/api/v1/messages"


def give(http: LiveHttp, *words: str) -> None:
    """The key `maple` has these scopes from the next request on."""
    old = http.clinics.maple
    keys = tuple(msgspec.structs.replace(key, scopes=words) if key.id == "key-maple" else key for key in old.api_keys)
    moved = msgspec.structs.replace(old.snapshot, epoch=old.snapshot.epoch + 1)
    http.clinics.maple = msgspec.structs.replace(old, snapshot=moved, api_keys=keys)
    http.clinics.source.put(http.clinics.maple)
    http.clinics.directory.poll()


@pytest.fixture
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(engines=2)
    yield server
    server.close()


def test_bi_084_a_key_with_a_limit_of_its_own_is_held_to_it(http: LiveHttp, message: dict[str, Any]) -> None:
    """Shared out among the engines of the home; told in every answer."""
    give(http, "send", keywords.limit_word(6))
    seen = [http.post(PATH, message) for _ in range(4)]
    assert [status for status, _, _ in seen] == [202, 202, 202, 429]
    assert seen[0][2]["ratelimit-policy"] == '"send";q=3;w=60'
    assert int(seen[3][2]["retry-after"]) >= 1 and seen[3][2]["ratelimit"].startswith('"send";r=0;')
    give(http, "send")
    status, _, fields = http.post(PATH, message)
    assert fields["ratelimit-policy"] == f'"send";q={http.limits.per_minute};w=60'
    assert status in (202, 429)
    assert http.post(PATH, message, key="harbour")[0] == 202


@pytest.mark.fast
@pytest.mark.parametrize(("own", "engines", "parts"), [(100, 3, [34, 33, 33]), (7, 4, [2, 2, 2, 1]), (6, 1, [6])])
def test_nothing_of_a_keys_limit_is_lost_between_engines(own: int, engines: int, parts: list[int]) -> None:
    told = []
    for engine in range(engines):
        rate = Rate(HttpLimits(engines=engines, engine=engine))
        assert rate.enter("key", own) == 0
        told.append(rate.policy("key"))
    assert told == [b'"send";q=%d;w=60' % part for part in parts] and sum(parts) == own


def test_what_a_test_key_sends_is_a_test(http: LiveHttp, message: dict[str, Any]) -> None:
    give(http, "send", "test")
    http.post(PATH, message)
    http.post(PATH, {**message, "test": False})
    http.post(PATH, message, key="harbour")
    assert [s.test for s in http.intake.submissions] == [True, True, False]


@pytest.mark.fast
def test_words_are_read_and_taken_out() -> None:
    words = ("search", "send", keywords.limit_word(600))
    assert keywords.limit_of(words) == 600 and keywords.without_limit(words) == ("search", "send")
    assert keywords.limit_of(("send", "limit:", "limit:x")) == 0
