"""The MTA-STS policy host: HTTPS, verified by the sandbox's CA, one policy a name (RFC 8461)."""

import http.client
import socket
import ssl

import pytest

from carepost.sandbox.policies import PATH
from tests.support.sandboxed import LivingWorld


def fetch(living: LivingWorld, host: str, path: str = PATH, named: str = "") -> tuple[int, str, str]:
    address = living.world.dial[host]
    context = ssl.create_default_context(cafile=str(living.world.ca_file))
    raw = socket.create_connection(address, timeout=10)
    client = http.client.HTTPConnection(host, timeout=10)
    client.sock = context.wrap_socket(raw, server_hostname=named or host)
    client.request("GET", path, headers={"Host": host})
    response = client.getresponse()
    try:
        return response.status, response.getheader("content-type") or "", response.read().decode()
    finally:
        client.close()


@pytest.mark.parametrize(
    ("host", "mode", "mx"),
    [
        ("mta-sts.mtasts.test", "enforce", "mx.mtasts.test"),
        ("mta-sts.stsother.test", "enforce", "mx.elsewhere.test"),
        ("mta-sts.ststesting.test", "testing", "mx.ststesting.test"),
    ],
)
def test_policies(living: LivingWorld, host: str, mode: str, mx: str) -> None:
    status, kind, text = fetch(living, host)
    assert (status, kind) == (200, "text/plain")
    assert text == f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 604800\r\n"


def test_nothing_else_is_there(living: LivingWorld) -> None:
    assert fetch(living, "mta-sts.mtasts.test", "/")[0] == 404


def test_another_name_does_not_verify(living: LivingWorld) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(living, "mta-sts.mtasts.test", named="mta-sts.verified.test")
