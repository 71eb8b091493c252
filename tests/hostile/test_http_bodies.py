"""Hostile requests to the API: JSON (BI-085), bodies (BI-086), smuggling (BI-087), header injection (BI-043..046)."""

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.live import LiveHttp

PATH = "/api/v1/messages"
MESSAGE: dict[str, Any] = {"from": "nurse@maple.test", "to": ["ann@elsewhere.test"], "subject": "x", "text": "y"}

SMUGGLED = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def http() -> Iterator[LiveHttp]:
    server = LiveHttp(max_body=1_000_000, head_timeout=1.0, body_timeout=0.7, body_step=1000)
    yield server
    server.close()


def raw(http: LiveHttp, *pieces: bytes, seconds: float = 10, until: bytes = b"") -> bytes:
    """All that comes back until the server closes, `until` was read, or nothing comes for `seconds`."""
    with socket.create_connection(("127.0.0.1", http.port), timeout=seconds) as connection:
        found = b""
        try:
            for piece in pieces:
                connection.sendall(piece)
            while more := connection.recv(65_536):
                found += more
                if until and until in found:
                    break
        except (TimeoutError, ConnectionError):
            pass
        return found


def head(http: LiveHttp, *fields: str) -> bytes:
    lines = ["POST /api/v1/messages HTTP/1.1", "host: x", "content-type: application/json",
             f"authorization: Bearer {http.clinics.secrets['maple']}", *fields]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_a_head_that_is_refused_says_why_in_a_problem(http: LiveHttp) -> None:
    """RFC 9457; RFC 6585 5: too many fields are 431, and the reader learns what to do."""
    fields = b"".join(b"x-%d: y\r\n" % n for n in range(101))
    for sent, status, word in (
        (b"GET /health HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n", 431, "fewer"),
        (b"NOT HTTP AT ALL\r\n\r\n", 400, "HTTP/1.1"),
        (b"GET /health HT", 408, "slowly"),
    ):
        said, _, body = raw(http, sent).partition(b"\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 %d " % status) and b"application/problem+json" in said
        answer = json.loads(body)
        assert answer["status"] == status and word in answer["detail"] and answer["title"] != "Refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"[" * 10_000, 422),
        (b'{"from":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400),
        (b'{"from":"a@maple.test","variables":{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}}", 400),
        (b'{"messages":' + b"[" * 10_000, 400),
        (b'{"from":"a@maple.test","from":"b@maple.test","to":["c@d.test"]}', 400),
        (b'{"from":"a@maple.test","to":["c@d.test"],"metadata":{"k":"1","k":"2"}}', 400),
        (b'{"from":NaN}', 400),
        (b'{"from":"a@maple.test","to":["c@d.test"],"metadata":{"k":1e999}}', 422),
        (b'{"from":"a@maple.test","to":["c@d.test"],"subject":"\\ud800"}', 400),
        (b'{"from":"a@maple.test","to":["c@d.test"],"subject":"\xff"}', 400),
        (b'{"from":12345678901234567890}', 422),
        (b'{"from":"a@maple.test","to":["c@d.test"]}{}', 400),
        (b'\xef\xbb\xbf{"from":"a@maple.test"}', 400),
    ],
)
def test_bi_085_json_that_is_none_or_has_two_readings(http: LiveHttp, body: bytes, status: int) -> None:
    before = len(http.intake.submissions)
    found, answer, fields = http.post(PATH, body)
    assert found == status, answer
    assert fields["content-type"] == "application/problem+json"
    assert len(http.intake.submissions) == before
    assert http.bodies.held == 0


def test_bi_085_a_hundred_megabytes_are_413_before_they_are_read(http: LiveHttp) -> None:
    found = raw(http, head(http, "content-length: 104857600"), b"x" * 1000, until=b"}")
    assert found.startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    # a client that ends what it sends is answered, and the connection goes on
    found = raw(http, head(http, "transfer-encoding: chunked") + chunk * 20 + b"0\r\n\r\n", LAST)
    codes = re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", found)
    assert codes == [b"413", b"200"]
    # one that never ends is cut
    began = time.monotonic()
    raw(http, head(http, "content-length: 104857600"), *[b"x" * 1_000_000] * 90, seconds=60)
    assert time.monotonic() - began < 50
    assert http.bodies.held == 0


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""])
def test_bi_086_other_media_types_are_415(http: LiveHttp, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {http.clinics.secrets['maple']}", "Content-Type": content_type}
    assert http.request("POST", PATH, b"{}", headers)[0] == 415
    encoded = {**headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert http.request("POST", PATH, b"{}", encoded)[0] == 415


def test_bi_086_a_slow_body_is_408_and_its_place_is_freed(http: LiveHttp) -> None:
    found = raw(http, head(http, "content-length: 100"), b'{"from"')
    assert found.startswith(b"HTTP/1.1 408") and b"connection: close" in found
    assert http.bodies.held == 0


def test_a_slow_head_and_a_silent_connection_are_cut(http: LiveHttp) -> None:
    assert raw(http, b"POST /api").startswith(b"HTTP/1.1 408")
    assert raw(http).startswith(b"HTTP/1.1 408")


def test_an_endless_head_is_cut(http: LiveHttp) -> None:
    many = b"".join(b"x-%d: y\r\n" % n for n in range(200))
    # the answer may be lost to the reset when the client is still sending; the connection is gone in any case
    found = raw(http, b"GET /health HTTP/1.1\r\nhost: x\r\n" + many + b"\r\n")
    assert found.split()[1:2] in ([], [b"400"], [b"431"])
    long = b"GET /health HTTP/1.1\r\nhost: x\r\nx-long: " + b"y" * 60_000
    assert raw(http, *[long] + [b"y" * 60_000] * 20).split()[1:2] in ([], [b"400"], [b"431"])


@pytest.mark.parametrize(
    "fields",
    [
        ("content-length: 6", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 6"),
        ("content-length: 6", "content-length: 7"),
        ("content-length: +6",),
        ("content-length: -6",),
        ("content-length: 0x6",),
        ("content-length: 6, 6",),
        ("transfer-encoding: chunked, identity",),
        ("transfer-encoding: xchunked",),
        ("transfer-encoding : chunked",),
        ("x: y\nz: 1",),
        ("x: a\0b",),
        (" folded: x",),
    ],
)
def test_bi_087_a_request_with_two_ends_is_400_and_one_request_at_most(http: LiveHttp, fields: tuple[str, ...]) -> None:
    before = len(http.intake.submissions)
    found = raw(http, head(http, *fields) + b"0\r\n\r\n" + SMUGGLED, seconds=3)
    codes = re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", found)
    assert codes[:1] in ([b"400"], [b"411"], [b"415"]), found
    assert b"200" not in codes
    assert len(http.intake.submissions) == before


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "x\r\nBcc: eve@elsewhere.test"},
        {"subject": "x\nBcc: eve@elsewhere.test"},
        {"subject": "x\rBcc: eve@elsewhere.test"},
        {"subject": "x\n"},
        {"subject": "x\u2028Bcc: eve@elsewhere.test"},
        {"from": {"address": "nurse@maple.test", "name": "a\r\nTo: eve@elsewhere.test"}},
        {"from": {"address": "nurse@maple.test\r\nTo: eve@elsewhere.test"}},
        {"to": ["ann@elsewhere.test\r\nBcc: eve@elsewhere.test"]},
        {"to": [{"address": "ann@elsewhere.test", "name": "a\nb"}]},
        {"headers": {"X-A": "b\r\nBcc: eve@elsewhere.test"}},
        {"headers": {"X-A\r\nBcc": "eve@elsewhere.test"}},
        {"headers": {"X-A: b\r\nBcc": "eve@elsewhere.test"}},
        {"headers": {"X-A": "b\n"}},
        {"headers": {"Bcc": "eve@elsewhere.test"}},
        {"headers": {"From": "ceo@maple.test"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"Received": "by x"}},
        {"attachments": [{"filename": "a\r\nb: c", "content": ""}]},
        {"attachments": [{"filename": "a", "content": "", "content_type": "text/plain\r\nx: y"}]},
        {"attachments": [{"filename": "a", "content": "", "content_id": "x>\r\ny: z"}]},
    ],
)
def test_bi_043_045_046_nothing_becomes_a_header_that_was_not_asked_for(http: LiveHttp, change: dict[str, Any]) -> None:
    before = len(http.intake.submissions)
    status, answer, _ = http.post(PATH, {**MESSAGE, **change})
    assert status == 422, answer
    assert "eve@" not in json.dumps(answer)
    assert len(http.intake.submissions) == before


def test_bi_044_an_encoded_line_end_in_a_subject_stays_text(http: LiveHttp) -> None:
    from carepost.rfc import message

    status, _, _ = http.post(PATH, {**MESSAGE, "subject": "=?UTF-8?Q?=0ABcc:_eve@elsewhere.test?="})
    if status == 202:
        read = message.read(http.intake.submissions[-1].body)
        assert read.all("bcc") == []
        assert "\n" not in read.subject
    else:
        assert status == 422
