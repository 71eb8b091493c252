"""The domain bounces come back to: below a sender domain, told to the engines, with its event."""

import uuid
from typing import Any

import pytest

from carepost.destinations import returnpaths
from carepost.ground.errors import NotFound, Refused
from carepost.tenancy import scope
from carepost.tenancy.models import OrgEpoch
from carepost.tenancy.permissions import COMMAND_LINE, Forbidden
from carepost.wire.types import Actor
from tests.support.cast import cast, fresh_books

__all__ = ["cast", "fresh_books"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def epoch(org: uuid.UUID) -> int:
    with scope.organisation(org):
        return OrgEpoch.objects.get(org=org).epoch


def test_a_return_path_comes_moves_and_goes(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    assert returnpaths.current(org) == ""
    before = epoch(org)
    assert returnpaths.put(org, "Bounce.maple.test", actor=COMMAND_LINE, reason="set up")
    assert not returnpaths.put(org, "bounce.maple.test", actor=COMMAND_LINE, reason="again")
    assert returnpaths.put(org, "b.maple.test", actor=COMMAND_LINE, reason="shorter")
    assert (returnpaths.current(org), epoch(org)) == ("b.maple.test", before + 2)
    assert not returnpaths.of_smtp(org)
    assert returnpaths.put(org, "b.maple.test", actor=COMMAND_LINE, reason="programs", smtp=True)
    assert not returnpaths.put(org, "b.maple.test", actor=COMMAND_LINE, reason="again", smtp=True)
    assert returnpaths.put(org, "c.maple.test", actor=COMMAND_LINE, reason="moved"), "what was chosen stays"
    assert (returnpaths.of_smtp(org), epoch(org)) == (True, before + 4)
    returnpaths.remove(org, actor=COMMAND_LINE, reason="no longer")
    assert returnpaths.current(org) == ""
    with pytest.raises(NotFound):
        returnpaths.remove(org, actor=COMMAND_LINE, reason="twice")


@pytest.mark.parametrize("domain", ["maple.test", "bounce.harbour.test", "bouncemaple.test", "x y"], ids=range(4))
def test_only_below_a_domain_of_ones_own(cast: Any, domain: str) -> None:
    with pytest.raises(Refused):
        returnpaths.put(uuid.UUID(bytes=cast.maple), domain, actor=COMMAND_LINE, reason="r")


def test_a_stranger_sets_nothing(cast: Any) -> None:
    org = uuid.UUID(bytes=cast.maple)
    with pytest.raises(Forbidden):
        returnpaths.put(org, "bounce.maple.test", actor=Actor("staff", str(uuid.uuid4())), reason="r")
    assert returnpaths.current(org) == ""
