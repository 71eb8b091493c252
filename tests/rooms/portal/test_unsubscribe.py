"""RFC 8058: a link unsubscribes by POST alone, once, without cookie or sign-in; a guessed one does nothing."""

import uuid
from typing import Any

import pytest
from django.test import Client

from carepost.crypto import delivery_token
from carepost.ground import ids
from carepost.proof import event, kinds
from carepost.public import unsubscribing
from carepost.tenancy import events, keys, scope
from tests.support.cast import cast, fresh_books

__all__ = ["cast", "fresh_books"]

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    pytest.mark.urls("carepost.settings.urls_outside"),
]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def link(cast: Any) -> tuple[str, bytes]:
    org, delivery = uuid.UUID(bytes=cast.maple), ids.new(1)
    with scope.organisation(org):
        key = keys.version(org, "index", 1)
    unsubscribing._done.clear()
    return f"/unsubscribe/{org}/{delivery_token.make(key, delivery_token.UNSUBSCRIBE, org.bytes, delivery)}", delivery


def asked() -> list[list[str]]:
    found = [event.read(row.event) for row in events.drain(0)]
    return [one.on for one in found if one.kind == kinds.UNSUBSCRIBED]


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_follows_the_link_unsubscribes_nobody(link: tuple[str, bytes], method: str) -> None:
    """DESIGN law 11."""
    answer = getattr(Client(HTTP_USER_AGENT="LinkScanner/1.0"), method)(link[0])
    assert answer.status_code == 200
    assert asked() == []


def test_one_click_unsubscribes_once(link: tuple[str, bytes]) -> None:
    for _ in range(3):
        answer = Client(enforce_csrf_checks=True).post(link[0], ONE_CLICK)
        assert (answer.status_code, len(answer.cookies)) == (200, 0)
        assert b"You are unsubscribed" in answer.content
    assert asked() == [[ids.text(link[1])]]


def test_another_body_is_no_one_click(link: tuple[str, bytes]) -> None:
    assert Client().post(link[0], {"List-Unsubscribe": "Maybe"}).status_code == 400
    assert asked() == []


def test_a_link_that_is_not_ours_does_nothing(link: tuple[str, bytes], cast: Any) -> None:
    path = link[0]
    other = path.replace(str(uuid.UUID(bytes=cast.maple)), str(uuid.UUID(bytes=cast.harbour)))
    nobody = path.replace(str(uuid.UUID(bytes=cast.maple)), str(uuid.uuid4()))
    for wrong in (path[:-1] + ("a" if path[-1] != "a" else "b"), path[:-1], other, nobody):
        assert Client().post(wrong, ONE_CLICK).status_code == 404
        assert Client().get(wrong).status_code == 404
    assert asked() == []
