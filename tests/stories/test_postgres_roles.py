"""On PostgreSQL every process comes as its own role, and none of them is given what the owner of the tables knows."""

import http.client
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from tests.support.cluster import cluster
from tests.support.house import House, Model
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

_USERS = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'carepost'"


def test_no_process_holds_the_owners_url(tmp_path: Path) -> None:
    with cluster() as postgres:
        owner = postgres.owned()
        secret = tmp_path / "url"
        secret.write_text(owner)
        model = Model(tmp_path, CAREPOST_DATABASE_URL=owner)
        # both ways to name it at once, and libpq's own
        more = {"CAREPOST_DATABASE_URL_FILE": secret, "PGPASSWORD": _password(owner)}
        with House(tmp_path, copied=model, **more) as house:
            house.send("jane.roe@verified.test")
            house.arrived("jane.roe@verified.test")
            for pid, role, _ in house.children():
                given = Path(f"/proc/{pid}/environ").read_bytes().decode()
                assert _password(owner) not in given, role
                assert str(secret) not in given, role
                url = next(v for v in given.split("\0") if v.startswith("CAREPOST_DATABASE_URL="))
                if role == "sandbox":
                    assert url == "CAREPOST_DATABASE_URL=", "it has no business there"
                else:
                    assert f"//carepost_{role}:" in url
            # the engine's header of the latest checkpoint comes from the log, as the engine
            until(lambda: _checkpoint(house), within=20, what="answers carry a checkpoint")
            with psycopg.connect(postgres.url) as server:
                users = {name for (name,) in server.execute(_USERS)}
            assert users == {f"carepost_{role}" for role in ("engine", "journal", "staff", "outside")} & users
            assert {"carepost_engine", "carepost_journal"} <= users


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _checkpoint(house: House) -> bool:
    body = {"from": "nora.sample@clinic.test", "to": ["john.roe@verified.test"], "subject": "x", "text": "y"}
    fields = {"Authorization": f"Bearer {house.made.api_key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", house.ports["api"], timeout=10)
    try:
        connection.request("POST", "/api/v1/protection/preview", json.dumps(body), fields)
        answer = connection.getresponse()
        answer.read()
        return bool(answer.getheader("Carepost-Checkpoint"))
    finally:
        connection.close()
