"""Whether the office's tables are those of this program, told without starting Django."""

import re
from collections.abc import Iterator
from pathlib import Path

import carepost
from carepost.cli.checks.finding import Finding, attention, failed, ok
from carepost.cli.local import Local
from carepost.ground import database
from carepost.ground.errors import ConfigError

_LABEL = re.compile(r'^    label = "(\w+)"$', re.MULTILINE)


def tables(here: Local) -> Iterator[Finding]:
    """The list of changes office.db keeps of itself (django_migrations) beside those this program brings. A
    PostgreSQL is asked by the start alone, which is its owner's."""
    if here.config.database_url or not here.home.office_db.exists():
        return
    try:
        connection = database.connect(here.home.office_db, here.keys.raw("database", b"office.db"), readonly=True)
    except (ConfigError, database.DatabaseError):
        # the check of the office says it
        return
    try:
        made = {(str(app), str(name)) for app, name in connection.execute("SELECT app, name FROM django_migrations")}
    except database.DatabaseError:
        return
    finally:
        connection.close()
    ours = brought()
    labels = {app for app, _ in ours}
    newer = sorted(one for one in made - ours if one[0] in labels)
    older = len(ours - made)
    if newer:
        yield failed(
            f"the office database was made by a newer Carepost ({newer[0][0]} {newer[0][1][:4]})",
            "update Carepost: this version does not start on it",
        )
    elif older:
        yield attention(f"the tables are older than this version ({older} changes)", "carepost up brings them to it")
    else:
        yield ok("the tables are those of this version")


def brought() -> set[tuple[str, str]]:
    """(app, migration) of every migration in this package."""
    found = set()
    for file in Path(carepost.__file__).parent.glob("**/migrations/[0-9]*.py"):
        app = file.parent.parent
        named = _LABEL.search((app / "apps.py").read_text())
        found.add((named[1] if named else app.name, file.stem))
    return found
