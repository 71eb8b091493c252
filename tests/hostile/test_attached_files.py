"""BI-052, BI-058..060: files made to exhaust whoever reads them. Each is answered, in bounded time and memory.

Read in a process of its own under the limits a worker has, so that what they bound is measured and not believed."""

import json
import subprocess
import sys
import zipfile

import pytest

from tests.support import papers
from tests.support.bombs import DOCUMENTS, russian, zeros

#: seconds of processor time and octets of address space any of these may cost
SECONDS = 15
MEMORY = 1_500_000_000
#: octets beyond what the interpreter itself has
GROWTH = 700_000_000

PROGRAM = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from carepost.phi.documents.read import document, message
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = sys.stdin.buffer.read()
found = [message(data)] if sys.argv[1] == "message" else []
documents = found[0].documents if found else document(data, sys.argv[2])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{
    "reasons": [d.reason for d in documents] + [m.reason for m in found],
    "traits": sorted({{t for d in documents for t in d.traits}}),
    "text": sum(len(d.text) for d in documents),
    "grown": (used.ru_maxrss - before) * 1024,
    "seconds": used.ru_utime + used.ru_stime,
}}))
"""


def read(data: bytes, name: str, how: str = "document") -> dict[str, object]:
    """Fails where the process is killed, raises, or outgrows its limits."""
    program = PROGRAM.format(memory=MEMORY, seconds=SECONDS)
    done = subprocess.run([sys.executable, "-c", program, how, name], input=data, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    said: dict[str, object] = json.loads(done.stdout)
    assert said["grown"] < GROWTH and said["seconds"] < SECONDS
    return said


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_bi_058_a_file_that_exhausts_is_answered(name: str) -> None:
    make, file, reasons = DOCUMENTS[name]
    said = read(make(), file)
    found = said["reasons"]
    assert isinstance(found, list) and reasons & set(found), found
    if "" not in reasons:
        assert any(found)


def test_bi_058_bombs_are_called_so() -> None:
    for data in (papers.flat_bomb(), zeros(150_000_000), russian(20)):
        assert "bomb" in read(data, "a.zip")["traits"]  # type: ignore[operator]


def test_what_a_bomb_stands_beside_is_read() -> None:
    raw = papers.mail("Hello", ("bomb.zip", zeros(150_000_000)), ("note.txt", b"MRN 12345"))
    said = read(raw, "", "message")
    assert "ratio" in said["reasons"]  # type: ignore[operator]
    assert said["text"] == len("MRN 12345")


def test_bi_052_two_thousand_messages_in_each_other() -> None:
    said = read(papers.nested(2_000, papers.mail("deep")), "", "message")
    assert "too-deep" in said["reasons"]  # type: ignore[operator]


def test_bi_052_fifty_thousand_parts_are_not_half_read() -> None:
    part = b"--cut\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = papers.HEAD + 'Subject: a\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    said = read(head.encode() + part * 50_000 + b"--cut--\r\n", "", "message")
    assert said["reasons"] == ["message-structure"]


def test_bi_060_a_part_kept_elsewhere_makes_the_message_unreadable() -> None:
    raw = (papers.HEAD + "Subject: a\r\nContent-Type: message/external-body; access-type=url\r\n\r\nx").encode()
    assert read(raw, "", "message")["reasons"] == ["message-structure"]


def test_bi_055_base64_with_junk_is_a_file_that_cannot_be_read() -> None:
    raw = papers.mail("x", ("a.txt", b"hello")).replace(b"aGVsbG8=", b"aGV*sb\0G8")
    assert "bad-encoding" in read(raw, "", "message")["reasons"]  # type: ignore[operator]


def test_symlinks_in_an_archive_are_a_fact() -> None:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "symlink" in read(out.getvalue(), "a.zip")["traits"]  # type: ignore[operator]
