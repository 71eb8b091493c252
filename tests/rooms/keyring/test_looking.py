"""Where is looked for keys, and whom an organisation believes: chosen by those who may, on record, known to engines."""

from typing import Any

import pytest
from django.conf import settings

from carepost.crypto.smime import identity
from carepost.directory import Directory
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring import looking
from carepost.tenancy.permissions import Forbidden
from carepost.wire.found import DEFAULT
from tests.rooms.tenancy.test_engine_views import source
from tests.support.smime import Authority

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


@pytest.fixture
def directory() -> Any:
    made = Directory(source(settings.CAREPOST_KEYS))
    made.poll()
    yield made
    made.stop()


def test_without_a_choice_the_default_holds_and_a_choice_is_the_organisations_alone(
    cast: Any, told: Any, directory: Any
) -> None:
    """DNSSEC, Web Key Directories and signed mail are on; Autocrypt, which nobody vouches for, is off."""
    assert looking.looking(cast.clinic, cast.ada) == looking.Looking(DEFAULT, False, False)
    assert DEFAULT == ("smimea", "openpgpkey", "wkd", "signed-mail")
    assert directory.snapshot(cast.clinic.bytes).key_sources == DEFAULT
    looking.choose(cast.clinic, ["autocrypt", "smimea"], unknown_ok=True, actor=cast.ada, reason="tried for a week")
    (event,) = told()
    assert event.event.kind == "keyring.discovery-changed"
    assert event.personal["reason"] == "tried for a week" and "smimea autocrypt" in event.personal["new"]
    directory.poll()
    mine, theirs = directory.snapshot(cast.clinic.bytes), directory.snapshot(cast.harbour.bytes)
    assert (mine.key_sources, mine.revocation_unknown_ok) == (("smimea", "autocrypt"), True)
    assert (theirs.key_sources, theirs.revocation_unknown_ok) == (DEFAULT, False)
    looking.choose(cast.clinic, [], unknown_ok=False, actor=cast.ada, reason="nothing is looked for")
    directory.poll()
    assert directory.snapshot(cast.clinic.bytes).key_sources == ()
    with pytest.raises(Refused):
        looking.choose(cast.clinic, ["keyserver"], unknown_ok=False, actor=cast.ada, reason="x")


def test_an_authority_is_believed_and_no_more(cast: Any, told: Any, directory: Any) -> None:
    authority = Authority("Invented Partner CA")
    (row,) = looking.believe(cast.clinic, authority.der, actor=cast.ada, reason="the partner's own")
    (event,) = told()
    assert event.event.kind == "keyring.authority-added" and "Invented Partner CA" in event.personal["new"]
    directory.poll()
    assert directory.snapshot(cast.clinic.bytes).anchors == (authority.der,)
    assert directory.snapshot(cast.harbour.bytes).anchors == ()
    assert [one.name for one in looking.looking(cast.clinic, cast.ada).authorities] == ["Invented Partner CA"]
    with pytest.raises(Refused) as known:
        looking.believe(cast.clinic, authority.der, actor=cast.ada, reason="again")
    assert known.value.code == "known-already"
    with pytest.raises(NotFound):
        looking.disbelieve(cast.harbour, row.pk, actor=cast.hal, reason="not mine")
    looking.disbelieve(cast.clinic, row.pk, actor=cast.ada, reason="left the network")
    directory.poll()
    assert directory.snapshot(cast.clinic.bytes).anchors == ()


def test_what_is_no_authority_is_refused_in_words(cast: Any) -> None:
    person = identity.self_signed(identity.generate("ec-p256"), "bo@partner.test", clock.now() - 1).certificate
    for data, code in ((person.der, "no-authority"), (b"hello", "no-certificate"), (b"x" * 600_000, "file-too-large")):
        with pytest.raises(Refused) as refused:
            looking.believe(cast.clinic, data, actor=cast.ada, reason="x")
        assert refused.value.code == code


@pytest.mark.parametrize("who", ["olga", "hal", "stan"])
def test_others_may_not(cast: Any, told: Any, who: str) -> None:
    actor = getattr(cast, who)
    for attempt in (
        lambda: looking.looking(cast.clinic, actor),
        lambda: looking.choose(cast.clinic, [], unknown_ok=True, actor=actor, reason="x"),
        lambda: looking.believe(cast.clinic, Authority().der, actor=actor, reason="x"),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert not told()
