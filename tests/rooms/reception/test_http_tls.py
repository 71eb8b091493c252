"""The API under TLS, with the certificates SMTP uses."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from carepost.processes import certificates
from carepost.reception.tls import Certificates
from tests.support.live import HOST, LiveHttp


def test_the_api_answers_under_tls_and_only_there(tmp_path: Path, message: dict[str, Any]) -> None:
    certificates.ensure(tmp_path, HOST)
    server = LiveHttp(tls=Certificates(tmp_path, HOST).context)
    try:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=trusted)
        headers = {"Authorization": f"Bearer {server.clinics.secrets['maple']}", "Content-Type": "application/json"}
        for _ in range(2):
            connection.request("POST", "/api/v1/messages", json.dumps(message), headers)
            answer = connection.getresponse()
            assert (answer.status, bool(json.loads(answer.read())["id"])) == (202, True)
        connection.close()
        with pytest.raises((OSError, http.client.HTTPException)):
            server.request("GET", "/health")
    finally:
        server.close()
