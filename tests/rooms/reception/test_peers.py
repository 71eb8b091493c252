"""Real programs submit over both listeners: smtplib, aiosmtplib, curl, swaks, Postfix as a smart host's client,
Nodemailer. Behind the doors stand a real intake and queue."""

import json
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from tests.support.clinics import PASSWORDS
from tests.support.live import HOST, Live
from tests.support.postfix import SmartHostClient

PASSWORD = PASSWORDS["maple"]
SENDER, RECIPIENT = "nurse@maple.test", "ann@elsewhere.test"
TEXT = "Grüße,\n.a line with a dot\n..and two\nthe end.\n"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    server = Live(tmp_path_factory.mktemp("peers"), real=True)
    yield server
    server.close()


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, RECIPIENT, "A visit"
    made.set_content(TEXT)
    return made


def arrived(live: Live, before: int, count: int = 1) -> Any:
    assert len(live.intake.submissions) - before == count
    found = live.intake.submissions[-1]
    assert found.envelope.sender == SENDER
    assert found.envelope.recipients[0].address == RECIPIENT
    assert found.via.endswith("ESMTPSA") or found.via.endswith("SMTPSA")
    return found


@pytest.mark.parametrize("listener", ["submission", "submissions"])
def test_smtplib(live: Live, listener: str) -> None:
    before = len(live.intake.submissions)
    if listener == "submission":
        client = smtplib.SMTP("127.0.0.1", live.port[listener], timeout=20)
        client._host = HOST  # type: ignore[attr-defined]
        client.starttls(context=live.client_tls())
    else:
        loose = live.client_tls()
        loose.check_hostname = False
        client = smtplib.SMTP_SSL("127.0.0.1", live.port[listener], timeout=20, context=loose)
    with client:
        client.login("maple", PASSWORD)
        assert client.send_message(message()) == {}
        refused = client.sendmail(SENDER, [RECIPIENT, "no address"], message().as_bytes(policy=policy.SMTP))
        assert list(refused) == ["no address"]
        # what smtplib sends as it is, with bare LF, is refused with a sentence that says why (BI-001)
        with pytest.raises(smtplib.SMTPDataError, match="CR LF"):
            client.sendmail(SENDER, [RECIPIENT], message().as_bytes())
    arrived(live, before, 2)


def test_smtplib_cannot_sign_in_with_a_wrong_password(live: Live) -> None:
    with smtplib.SMTP("127.0.0.1", live.port["submission"], timeout=20) as client:
        client._host = HOST  # type: ignore[attr-defined]
        client.starttls(context=live.client_tls())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("maple", "wrong")


def test_smtplib_refuses_a_certificate_it_does_not_trust(live: Live) -> None:
    with smtplib.SMTP("127.0.0.1", live.port["submission"], timeout=20) as client, pytest.raises(ssl.SSLError):
        client.starttls(context=ssl.create_default_context())


@pytest.mark.parametrize("listener", ["submission", "submissions"])
async def test_aiosmtplib(live: Live, listener: str) -> None:
    before = len(live.intake.submissions)
    loose = live.client_tls()
    loose.check_hostname = False
    errors, _ = await aiosmtplib.send(
        message(), hostname="127.0.0.1", port=live.port[listener], username="maple", password=PASSWORD,
        start_tls=listener == "submission", use_tls=listener == "submissions", tls_context=loose, timeout=20,
    )  # fmt: skip
    assert errors == {}
    found = arrived(live, before)
    assert b".a line with a dot" in found.body or b"base64" in found.body


@pytest.mark.peers
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_curl(live: Live, tmp_path: Path, scheme: str, mechanism: str) -> None:
    before = len(live.intake.submissions)
    file = tmp_path / "message"
    file.write_bytes(message().as_bytes().replace(b"\n", b"\r\n"))
    port = live.port["submission" if scheme == "smtp" else "submissions"]
    done = subprocess.run(
        ["curl", "-sS", "--ssl-reqd", "--cacert", live.ca, "--resolve", f"{HOST}:{port}:127.0.0.1",
         f"{scheme}://{HOST}:{port}/workstation.test", "--mail-from", SENDER, "--mail-rcpt", RECIPIENT,
         "--user", f"maple:{PASSWORD}", "--login-options", f"AUTH={mechanism}", "--upload-file", file,
         "--max-time", "30"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if mechanism == "SCRAM-SHA-256" and done.returncode == 67:
        # this build of curl lacks GSASL: then the mechanism is Postfix's and our own tests' matter
        assert "SCRAM" not in subprocess.run(["curl", "-V"], capture_output=True, text=True, check=True).stdout
        return
    assert done.returncode == 0, done.stderr
    arrived(live, before)


@pytest.mark.peers
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("flags", [("--tls",), ("--tls-on-connect",), ("--tls", "--pipeline")], ids=" ".join)
def test_swaks(live: Live, flags: tuple[str, ...], mechanism: str) -> None:
    before = len(live.intake.submissions)
    port = live.port["submissions" if "--tls-on-connect" in flags else "submission"]
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(port), *flags, "--tls-verify", "--tls-ca-path", live.ca,
         "--auth", mechanism, "--auth-user", "maple", "--auth-password", PASSWORD, "--from", SENDER, "--to", RECIPIENT,
         "--body", ".dot\n..two", "--timeout", "30"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert b"\r\n.dot\r\n..two\r\n" in arrived(live, before).body


@pytest.mark.peers
def test_swaks_without_auth_relays_nothing(live: Live) -> None:
    before = len(live.intake.submissions)
    for port in (live.port["submission"], live.port["mx"]):
        done = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port", str(port), "--tls", "--from", SENDER, "--to", RECIPIENT,
             "--timeout", "30"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode in (23, 24), done.stdout[-2000:]
    assert len(live.intake.submissions) == before


@pytest.mark.peers
@pytest.mark.parametrize(
    ("mechanism", "wrapper"), [("plain", False), ("login", True), ("scram-sha-256", False)], ids=str
)
def test_postfix_as_a_smart_hosts_client(live: Live, tmp_path: Path, mechanism: str, wrapper: bool) -> None:
    before = len(live.intake.submissions)
    port = live.port["submissions" if wrapper else "submission"]
    client = SmartHostClient(
        tmp_path / "postfix", port, HOST, live.ca, "maple", PASSWORD, mechanism=mechanism, wrapper=wrapper
    )
    try:
        raw = b"From: nurse@maple.test\nSubject: A visit\n\n.dot\n" + b"x" * 500 + b"\n"
        client.send(SENDER, [RECIPIENT, "bob@elsewhere.test"], raw, "-N", "success,failure", "-V", f"visit-{mechanism}")
        log = client.sent(2)
    finally:
        client.close()
    assert "250 2.0.0 Accepted as" in log
    found = arrived(live, before)
    assert [r.address for r in found.envelope.recipients] == [RECIPIENT, "bob@elsewhere.test"]
    assert found.envelope.recipients[0].notify == ("SUCCESS", "FAILURE")
    assert found.envelope.envid == f"visit-{mechanism}"
    assert found.body.endswith(b"\r\n.dot\r\n" + b"x" * 500 + b"\r\n")


_NODE = """
const mailer = require("nodemailer");
const asked = JSON.parse(process.argv[2]);
(async () => {
  const way = mailer.createTransport({
    host: "127.0.0.1", port: asked.port, secure: asked.secure, requireTLS: true, pool: true, maxConnections: 2,
    auth: { user: "maple", pass: asked.password },
    tls: { ca: require("fs").readFileSync(asked.ca), servername: asked.host },
  });
  const mails = [1, 2, 3, 4].map((n) => way.sendMail({
    from: "Nurse <nurse@maple.test>", to: "ann@elsewhere.test", subject: "Visit " + n, text: asked.text,
    html: "<p>Visit</p>", attachments: [{ filename: "plan.txt", content: "x".repeat(5000) }],
    dsn: { id: "node-" + asked.secure + n, return: "headers", notify: "failure", recipient: "ann@elsewhere.test" },
  }));
  const done = await Promise.all(mails);
  way.close();
  console.log(JSON.stringify(done.map((one) => one.response)));
})().catch((error) => { console.error(error.message); process.exit(1); });
"""


@pytest.mark.peers
def test_nodemailer(live: Live, tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", tmp_path, "nodemailer@7"],
        check=True, timeout=280, capture_output=True,
    )  # fmt: skip
    (tmp_path / "send.js").write_text(_NODE)
    # an installation may take longer than a directory nobody polls stays fresh
    live.clinics.directory.poll()
    for listener, secure in (("submission", False), ("submissions", True)):
        before = len(live.intake.submissions)
        asked = {"port": live.port[listener], "secure": secure, "password": PASSWORD, "ca": str(live.ca), "host": HOST,
                 "text": TEXT}  # fmt: skip
        done = subprocess.run(
            ["node", tmp_path / "send.js", json.dumps(asked)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert all(reply.startswith("250 2.0.0 Accepted as") for reply in json.loads(done.stdout))
        assert arrived(live, before, 4).envelope.ret == "HDRS"
