"""The same on PostgreSQL, each step as the role of its process: row security and composite keys stand in the way of
nothing that should go, and of everything that should not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import pytest

from carepost.ground import home, postgres
from carepost.ground.keys import MasterKeyring
from tests.support.bucket import ACCESS, bucket

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[3]

SETUP = """
import json, pathlib, sys
from carepost.settings.migrate import migrate
migrate(pathlib.Path(sys.argv[1]))
from tests.support.mailroom import clinic
print(json.dumps([str(clinic(slug, f"{slug}.test").pk) for slug in sys.argv[2:]]))
"""

#: the journal lays a message down and sends its notice
JOURNAL = """
import json, sys
from carepost.settings import boot
boot.setup("journal")
from carepost.mailbox import deposits, notify
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support.mailroom import KeptDoor, lay
from uuid import UUID
door = KeptDoor()
links = []
for org in sys.argv[1:]:
    with scope.organisation(UUID(org)):
        clinic = Organisation.objects.get(id=org)
    row = lay(clinic, sender=f"desk@{clinic.slug}.test")
    assert notify.notice(row.org_id.bytes, row.delivery.bytes, door=door)
    assert deposits.expire(row.org_id.bytes) == 0
    links.append(row.link)
assert len(door.taken) == len(links)
print(json.dumps(links))
"""

#: the portal: the whole way of a recipient, and what it may not see
OUTSIDE = """
import json, sys
from carepost.settings import boot
boot.setup("outside")
from carepost.ground.errors import NotFound
from carepost.mailbox import access, challenges, replies, sessions
from carepost.mailbox.models import Deposit
from carepost.tenancy import scope
from tests.support.mailroom import KeptDoor, SECRET_TEXT
door = KeptDoor()
mine, theirs = sys.argv[1:]
row = access.deposit_of(mine)
to = access.masked_source(row)
challenges.send_code(row, door=door, client="192.0.2.7")
assert challenges.standing(row).tries_left == 5
opened = challenges.prove_code(row, door.code(to), device="Firefox", door=door)
session = sessions.find(opened.cookie)
seen = access.access_deposit(session, mine)
assert SECRET_TEXT in seen.content.text
assert len(access.access_inbox(session)) == 1
replies.save_draft(session, mine, "half")
replies.reply(session, mine, "whole", (), door=door)
assert [r.text for r in access.access_deposit(session, mine).replies] == ["whole"]
assert len(sessions.listing(session)) == 1
try:
    access.access_deposit(session, theirs)
except NotFound:
    pass
else:
    raise SystemExit("another organisation's message was shown")
with scope.every("the outside role never sees all"):
    assert list(Deposit.objects.values_list("id", flat=True)) == []
assert list(Deposit.objects.values_list("id", flat=True)) == []
access.delete_deposit(session, mine)
sessions.close_all(session)
assert sessions.find(opened.cookie) is None
print("done")
"""

#: an administrator on the machine chooses the bucket
COMMAND = """
import json, sys
from carepost.settings import boot
boot.setup("command")
from carepost.cold import s3, targets
from carepost.ground.providers.signing import Access
place = s3.Place(*json.loads(sys.argv[1]))
print(targets.choose(place, Access(sys.argv[2], sys.argv[3]), 0).pk)
"""

#: what the journal carries there, or deletes there
COOL = """
import threading
from carepost.settings import boot
boot.setup("journal")
from carepost.ground import clock
from carepost.journal.cooling import Cooling
print(Cooling(None, threading.Event()).step(clock.now() + 60_000_000))
"""


@pytest.fixture(scope="module")
def run(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    name, password = f"mail_{os.urandom(5).hex()}", os.urandom(8).hex()
    made = home.create(tmp_path_factory.mktemp("mailbox") / "home", sandbox=True)
    MasterKeyring.create(made.keyring())
    parts = urlsplit(postgres_url)
    own = f"{name}_owner:{password}@{parts.netloc.rpartition('@')[2]}"
    url = urlunsplit(parts._replace(netloc=own, path=f"/{name}"))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CAREPOST_", "DJANGO_"))}
    environ = {**kept, "CAREPOST_HOME": str(made.path), "CAREPOST_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}

    def script(code: str, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, timeout=110
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    script.home = made  # type: ignore[attr-defined]
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name}_owner LOGIN NOSUPERUSER CREATEROLE PASSWORD '{password}'")
        server.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
        try:
            yield script
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            for role in (*postgres.ROLES, "owner"):
                server.execute(f"DROP ROLE IF EXISTS {name}_{role}")


def test_the_whole_way_under_the_roles_of_its_processes(run: Any) -> None:
    """HS-30, BI-089."""
    organisations = json.loads(run(SETUP, str(run.home.path), "maple", "harbour"))
    links = json.loads(run(JOURNAL, *organisations))
    assert run(OUTSIDE, *links) == "done"


def test_bodies_go_cold_are_read_and_deleted_under_the_roles_of_its_processes(run: Any) -> None:
    organisations = json.loads(run(SETUP, str(run.home.path), "birch", "cedar"))
    links = json.loads(run(JOURNAL, *organisations))
    with bucket() as there:
        place = json.dumps(msgspec.structs.astuple(there.place)[:5])
        run(COMMAND, place, ACCESS.id, ACCESS.secret)
        assert int(run(COOL)) >= len(links)
        assert run(OUTSIDE, *links) == "done"
        assert run(COOL) == "1", "the one that its recipient deleted"
