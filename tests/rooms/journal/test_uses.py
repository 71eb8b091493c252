"""Of what was used, the day: by whom mail was handed in, and by which keys it was encrypted, signed and opened."""

import uuid
from typing import Any

import msgspec
import pytest

from carepost.journal.uses import Uses
from carepost.keyring import acts as keyring
from carepost.keyring import own_acts
from carepost.keyring.models import OwnKey, RecipientKey
from carepost.policy.types import Method
from carepost.proof import event, kinds
from carepost.proof.event import Event
from carepost.tenancy import scope
from carepost.tenancy.permissions import BOOTSTRAP
from tests.rooms.keyring.test_recipient_keys import BO, smime
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])
DAY = 86_400_000_000


@pytest.fixture
def seen() -> Uses:
    return Uses()


def happened(outbox: Outbox, org: bytes, **facts: str) -> Event:
    """A delivery's event, as the engine writes it."""
    message, deliveries = outbox.accepted(org)
    outbox.sent(org, message, deliveries[0])
    sent = event.read(outbox.waiting[-1].event)
    return msgspec.structs.replace(sent, facts={**sent.facts, **facts})


def test_keys_that_were_encrypted_to_signed_and_opened_are_noted_once_a_day(
    cast: Any, outbox: Outbox, seen: Uses, django_assert_max_num_queries: Any
) -> None:
    org = uuid.UUID(bytes=cast.maple)
    theirs = keyring.add_key(org, BO, smime(BO), actor=BOOTSTRAP, reason="read to me")
    own = own_acts.generate_key(org, "office@maple.test", method=Method.SMIME, actor=BOOTSTRAP, reason="first")
    opening = own_acts.generate_key(
        org, "desk@maple.test", method=Method.SMIME, actor=BOOTSTRAP, reason="second"
    )  # fmt: skip
    facts = {kinds.RECIPIENT_KEY: str(theirs.pk), kinds.SIGNING_KEY: str(own.pk)}
    one = happened(outbox, cast.maple, **facts)
    other = msgspec.structs.replace(one, facts={kinds.OPENING_KEY: str(opening.pk)})
    seen.look([one, one, other, None])
    assert (seen.write(), seen.write()) == (3, 0)
    again = msgspec.structs.replace(one, at=one.at + 1)
    seen.look([again])
    with django_assert_max_num_queries(0):
        assert seen.write() == 0, "the day is on record"
    seen.look([msgspec.structs.replace(one, at=one.at + DAY)])
    assert seen.write() == 2
    with scope.organisation(org):
        assert RecipientKey.objects.get(pk=theirs.pk).used_at == one.at + DAY
        assert OwnKey.objects.get(pk=own.pk).used_at == one.at + DAY
        assert OwnKey.objects.get(pk=opening.pk).used_at == one.at


def test_what_cannot_be_written_waits(cast: Any, outbox: Outbox, seen: Uses, monkeypatch: pytest.MonkeyPatch) -> None:
    org = uuid.UUID(bytes=cast.maple)
    theirs = keyring.add_key(org, BO, smime(BO), actor=BOOTSTRAP, reason="read to me")
    seen.look([happened(outbox, cast.maple, **{kinds.RECIPIENT_KEY: str(theirs.pk)})])
    with monkeypatch.context() as broken:
        broken.setattr(scope, "organisation", _away)
        with pytest.raises(ConnectionError):
            seen.write()
    assert seen.write() == 1


def _away(*_: object) -> None:
    raise ConnectionError
