"""The example of docs/api.md about the organisation's own keys, as it stands there, through an engine's listener to the
office."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from carepost.archive import store
from carepost.keyring.models import OwnKey
from carepost.tenancy import scope
from carepost.tenancy.actions import access
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.live import LiveHttp
from tests.support.mailroom import clinic
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example_does_what_it_says(live_server: Any) -> None:
    (text,) = [one for one in _BLOCK.findall(DOCS.read_text()) if "own_key" in one]
    store.store().migrate()
    maple = clinic("maple", "maple.test")
    Outbox().empty()
    key = access.add_key(maple.pk, "machine", ("own-keys",), actor=BOOTSTRAP).secret
    parts = urlsplit(live_server.url)
    assert parts.hostname and parts.port
    listener = LiveHttp(office=(parts.hostname, parts.port))
    environment = {**os.environ, "CAREPOST_URL": listener.url, "CAREPOST_KEY": key}
    try:
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, env=environment)
    finally:
        listener.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("active ") and "BEGIN CERTIFICATE" in done.stdout
    with scope.organisation(maple.pk):
        assert OwnKey.objects.get(org_id=maple.pk).source == "generated"
