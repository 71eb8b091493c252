"""MTA-STS policies as the world fetches them: by the host's name alone, exactly what was chosen."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from carepost.delivery import mtasts
from carepost.senders import acts
from carepost.settings import outside
from carepost.tenancy.actions import domains
from carepost.tenancy.permissions import COMMAND_LINE
from tests.support.cast import cast, fresh_books

__all__ = ["cast", "fresh_books"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture
def world(cast: Any) -> Iterator[Client]:
    """The outside process's own middleware and addresses; it knows no host but its own."""
    with override_settings(
        MIDDLEWARE=outside.MIDDLEWARE, ROOT_URLCONF=outside.ROOT_URLCONF, ALLOWED_HOSTS=["portal.test"]
    ):
        yield Client()


def fetch(world: Client, host: str, path: str = "/.well-known/mta-sts.txt") -> Any:
    return world.get(path, headers={"host": host})


def test_the_policy_is_served_at_its_host_and_nowhere_else(cast: Any, world: Client) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert fetch(world, "mta-sts.maple.test").status_code == 404
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="enforce", mx=("mx.maple.test", "*.mail.test"))
    for host in ("mta-sts.maple.test", "MTA-STS.Maple.Test.", "mta-sts.maple.test:443"):
        answer = fetch(world, host)
        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, "text/plain")
        read = mtasts.parse(answer.content)
        assert (read.mode, read.mx, read.max_age) == (mtasts.Mode.ENFORCE, ("mx.maple.test", "*.mail.test"), 604_800)
        assert not answer.cookies
    for host in ("portal.test", "maple.test", "mta-sts.harbour.test", "mta-sts.", "x" * 300):
        assert fetch(world, host).status_code == 404
    assert world.post("/.well-known/mta-sts.txt", headers={"host": "mta-sts.maple.test"}).status_code == 405


def test_at_a_policy_host_nothing_else_is_answered(cast: Any, world: Client) -> None:
    assert fetch(world, "mta-sts.maple.test", "/").status_code == 400
    assert fetch(world, "portal.test", "/").status_code == 200


def test_it_ends_with_the_choice_and_with_the_domain(cast: Any, world: Client) -> None:
    org, other = uuid.UUID(bytes=cast.maple), uuid.UUID(bytes=cast.harbour)
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="testing", mx=("mx.maple.test",))
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="")
    assert fetch(world, "mta-sts.maple.test").status_code == 404
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="testing", mx=("mx.maple.test",))
    domains.remove_domain(org, "maple.test", actor=COMMAND_LINE, reason="sold")
    assert fetch(world, "mta-sts.maple.test").status_code == 404
    domains.add_domain(other, "maple.test", actor=COMMAND_LINE)
    assert fetch(world, "mta-sts.maple.test").status_code == 404, "the former owner's is not the new one's"
    acts.serve_policy(other, "maple.test", actor=COMMAND_LINE, mode="none")
    assert mtasts.parse(fetch(world, "mta-sts.maple.test").content).mode is mtasts.Mode.NONE
