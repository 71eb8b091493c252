"""Uploads: sealed, of one organisation, gone after a day; the engine reads them through its view."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from carepost.ground import clock
from carepost.ground.errors import CarepostError, Refused
from carepost.tenancy import events
from carepost.tenancy.permissions import Forbidden
from carepost.uploads import acts
from carepost.uploads.models import Upload
from carepost.wire.types import Actor

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def put(cast: Any, org: uuid.UUID | None = None, by: Actor | None = None) -> acts.Kept:
    return acts.put(
        org or cast.clinic, "quillfeather-scan.pdf", "application/pdf", b"Quillfeather, A1c 8.4", actor=by or cast.olga
    )


def test_a_file_is_kept_sealed_and_the_event_says_its_size_only(cast: Any, told: Any) -> None:
    kept = put(cast)
    row = Upload.objects.get()
    assert (kept.id, kept.size, kept.expires_at) == (str(row.pk), 21, row.created_at + acts.KEPT_US)
    assert b"uillfeather" not in bytes(row.head) and b"uillfeather" not in bytes(row.data)
    (one,) = told()
    assert (one.event.kind, one.event.facts, one.personal) == ("upload.added", {"size": "21"}, {})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a\r\nBcc: x", "text/plain"), ("a" * 300, "text/plain"), ("a.pdf", "not a type"), ("a.pdf", "multipart/mixed")],
    ids=["control", "long", "type", "multipart"],
)
def test_what_could_not_stand_in_a_message_is_refused(name: str, kind: str, cast: Any) -> None:
    with pytest.raises(Refused) as refused:
        acts.put(cast.clinic, name, kind, b"x", actor=cast.olga)
    assert refused.value.status == 422 and not Upload.objects.exists()


def test_limits_are_told(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="20 MB"):
        acts.put(cast.clinic, "a.bin", "application/pdf", bytes(acts.MOST_OCTETS + 1), actor=cast.olga)
    monkeypatch.setattr(acts, "MOST_TOGETHER", 30)
    put(cast)
    with pytest.raises(Refused, match="remove some"):
        put(cast)
    put(cast, cast.harbour, cast.hal)


def test_it_goes_after_a_day_and_earlier_when_asked(cast: Any, told: Any) -> None:
    first, second = put(cast), put(cast)
    acts.drop(cast.clinic, uuid.UUID(first.id), actor=cast.olga)
    assert acts.ended(cast.clinic, clock.now()) == 0
    assert acts.ended(cast.clinic, second.expires_at) == 1 and not Upload.objects.exists()
    assert [e.event.kind for e in told()][-2:] == ["upload.removed", "upload.expired"]
    assert acts.ended(cast.harbour, second.expires_at) == 0


ACTIONS: dict[str, Callable[[Any, acts.Kept, Actor], object]] = {
    "put": lambda cast, _, by: put(cast, by=by),
    "drop": lambda cast, kept, by: acts.drop(cast.clinic, uuid.UUID(kept.id), actor=by),
}


@pytest.mark.parametrize("who", ["stan", "hal", "key"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_strangers_and_other_organisations_are_refused(name: str, who: str, cast: Any) -> None:
    kept = put(cast)
    actor = {"stan": cast.stan, "hal": cast.hal, "key": Actor("key", str(uuid.uuid4()))}[who]
    head = events.head()
    with pytest.raises(Forbidden):
        ACTIONS[name](cast, kept, actor)
    assert Upload.objects.count() == 1 and events.head() == head
    with pytest.raises(CarepostError) as refused:
        acts.drop(cast.harbour, uuid.UUID(kept.id), actor=cast.hal)
    assert refused.value.code == "not-found"
