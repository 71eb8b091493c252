"""What the engine sees of templates and uploads: the active version, in clear for one message, of its organisation."""

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.conf import settings

from carepost.directory import Directory
from carepost.directory.shelf import SqlShelf
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.rendering.types import Compiled, Source
from carepost.templates import acts as templates
from carepost.tenancy.actions import keys
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.uploads import acts as uploads
from carepost.uploads.models import Upload
from tests.rooms.tenancy.test_engine_views import connecting, source
from tests.support.workbench import in_this_process

__all__ = ["in_this_process"]
pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

LETTER = Source("Visit of {{ name }}", text="Dear {{ name }}")


@pytest.fixture
def shelf() -> Iterator[SqlShelf]:
    connect, begin, placeholder = connecting()
    made = SqlShelf(connect, settings.CAREPOST_KEYS, begin=begin, placeholder=placeholder)
    yield made
    made.close()


def known(org: uuid.UUID) -> OrgSnapshot:
    directory = Directory(source(settings.CAREPOST_KEYS))
    directory.poll()
    found = directory.snapshot(org.bytes)
    directory.stop()
    return found


def test_the_active_version_is_what_is_read(cast: Any, shelf: SqlShelf) -> None:
    template = templates.create(cast.clinic, "Visit", LETTER, actor=cast.ada).pk
    templates.add_version(cast.clinic, template, Source("Second", text="x"), actor=cast.ada, activate=False)
    found = shelf.template(known(cast.clinic), template.bytes)
    assert (found.number, msgspec.msgpack.decode(found.compiled, type=Compiled).subject) == (1, LETTER.subject)
    templates.activate(cast.clinic, template, 2, actor=cast.ada)
    found = shelf.template(known(cast.clinic), template.bytes)
    assert (found.number, msgspec.msgpack.decode(found.compiled, type=Compiled).subject) == (2, "Second")
    with pytest.raises(NotFound):
        shelf.template(known(cast.harbour), template.bytes)
    templates.remove(cast.clinic, template, actor=cast.ada)
    with pytest.raises(NotFound):
        shelf.template(known(cast.clinic), template.bytes)


def test_a_file_is_read_until_its_day_is_over_also_after_a_change_of_keys(cast: Any, shelf: SqlShelf) -> None:
    kept = uploads.put(cast.clinic, "scan.pdf", "application/pdf", b"%PDF invented", actor=cast.olga)
    id_ = uuid.UUID(kept.id).bytes
    keys.rotate_key(cast.clinic, "content", actor=BOOTSTRAP, reason="a test")
    here = known(cast.clinic)
    assert shelf.size(here, id_) == 13
    found = shelf.upload(here, id_)
    assert (found.head.name, found.head.kind, found.data) == ("scan.pdf", "application/pdf", b"%PDF invented")
    for stranger in (known(cast.harbour),):
        with pytest.raises(NotFound):
            shelf.size(stranger, id_)
        with pytest.raises(NotFound):
            shelf.upload(stranger, id_)
    Upload.objects.update(expires_at=clock.now() - 1)
    with pytest.raises(NotFound):
        shelf.size(here, id_)
