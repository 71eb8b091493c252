"""Every posture against real clients: smtplib for behaviour, openssl s_client for what TLS shows."""

import base64
import re
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

from carepost.sandbox import people
from carepost.sandbox.ca import spki_sha256
from carepost.sandbox.domains import ALL, BY_NAME, Certificate, Starttls
from carepost.sandbox.store import Kind, Mail
from tests.support.sandboxed import LivingWorld

WAIT = 10.0
BODY = b"From: nora@clinic.test\r\nSubject: TEST-0001\r\n\r\nFirst line\r\n.dotted line\r\nlast\r\n"


def connect(living: LivingWorld, domain: str) -> smtplib.SMTP:
    host, port = living.world.dial[BY_NAME[domain].mx]
    client = smtplib.SMTP(host, port, local_hostname="mail.clinic.test", timeout=WAIT)
    client.ehlo()
    return client


def secure(living: LivingWorld, client: smtplib.SMTP, domain: str, *, verify: bool = True) -> None:
    context = ssl.create_default_context(cafile=str(living.world.ca_file))
    # a current client says so itself: what Python's default is depends on how it was built
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client._host = BY_NAME[domain].mx  # type: ignore[attr-defined]  # the name smtplib verifies
    client.starttls(context=context)
    client.ehlo()


def deliver(living: LivingWorld, domain: str, to: str, body: bytes = BODY, *, verify: bool = True) -> None:
    with connect(living, domain) as client:
        if client.has_extn("starttls"):
            secure(living, client, domain, verify=verify)
        client.sendmail("nora@clinic.test", [f"{to}@{domain}"], body)


@pytest.mark.parametrize("domain", ["verified.test", "mtasts.test", "slow.test", "clinic.test", "signed.test"])
def test_verified_sides_take_a_message_over_tls(living: LivingWorld, domain: str) -> None:
    deliver(living, domain, "testina")
    (mail,) = living.arrived(f"testina@{domain}")
    assert mail.raw == BODY
    assert mail.tls is not None and mail.tls.version in ("TLSv1.2", "TLSv1.3")
    assert (mail.kind, mail.complete, mail.sender) == (Kind.MESSAGE, True, "nora@clinic.test")
    assert living.world.mailbox(f"testina@{domain}") == (mail,)


FAULTS = {
    "selfsigned.test": "self-signed certificate",
    "dane.test": "self-signed certificate",
    "smime.test": "self-signed certificate",
    "pgp.test": "self-signed certificate",
    "expired.test": "certificate has expired",
    "wrongname.test": "Hostname mismatch",
    "owncert.test": "Hostname mismatch",
}


@pytest.mark.parametrize(("domain", "fault"), FAULTS.items())
def test_a_verifying_client_refuses_the_certificate(living: LivingWorld, domain: str, fault: str) -> None:
    with connect(living, domain) as client, pytest.raises(ssl.SSLCertVerificationError, match=fault):
        secure(living, client, domain)
    assert living.world.store.count(domain).body_bytes == 0
    deliver(living, domain, "careless", verify=False)
    assert living.arrived(f"careless@{domain}")[0].tls is not None


@pytest.mark.peers
@pytest.mark.parametrize("domain", [d for d in ALL if d.serves and d.starttls is Starttls.ALWAYS], ids=lambda d: d.name)
def test_openssl_sees_the_certificate_the_table_names(living: LivingWorld, domain: object) -> None:
    named = next(d for d in ALL if d is domain)
    if named.behaviour in ("babble", "closed"):
        return
    host, port = living.world.dial[named.mx]
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-starttls", "smtp", "-servername", named.mx,
         "-CAfile", str(living.world.ca_file), "-verify_hostname", named.mx],
        input="QUIT\r\n", capture_output=True, text=True, timeout=30, check=False,
    ).stdout  # fmt: skip
    code = re.search(r"Verify return code: (\d+)", shown)
    assert code is not None, shown
    expected = {
        Certificate.VALID: "0",
        Certificate.SELF_SIGNED: "18",
        Certificate.EXPIRED: "10",
        Certificate.WRONG_NAME: "62",
        Certificate.OWN_DOMAIN: "62",
    }
    assert code[1] == expected[named.certificate]


@pytest.mark.peers
def test_swaks_delivers_with_a_verified_certificate(living: LivingWorld) -> None:
    host, port = living.world.dial["mx.verified.test"]
    done = subprocess.run(
        ["swaks", "--server", host, "--port", str(port), "--to", "swaks@verified.test", "--from", "nora@clinic.test",
         "--tls-verify", "--tls-ca-path", str(living.world.ca_file), "--tls", "--body", "x"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert living.arrived("swaks@verified.test")[0].tls is not None


def test_plain_offers_no_tls_and_refuses_the_command(living: LivingWorld) -> None:
    with connect(living, "plain.test") as client:
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502
    deliver(living, "plain.test", "clear", people.mime(people.SAMPLES[6]))
    (mail,) = living.arrived("clear@plain.test")
    assert mail.tls is None
    counters = living.world.store.count("plain.test")
    assert counters.clear_message_bytes == counters.message_bytes == len(mail.raw)
    assert living.world.store.saw(people.CANARY.encode(), "plain.test")


def test_stripped_announces_tls_once_and_never_has_it_bi_010(living: LivingWorld) -> None:
    with connect(living, "stripped.test") as client:
        assert client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 454
        client.ehlo()
        assert not client.has_extn("starttls")
    with connect(living, "stripped.test") as client:
        assert not client.has_extn("starttls")
    assert living.world.store.count("stripped.test").body_bytes == 0


def test_lapsed_has_tls_in_its_first_session_only(living: LivingWorld) -> None:
    deliver(living, "lapsed.test", "first")
    with connect(living, "lapsed.test") as client:
        assert not client.has_extn("starttls")


def test_greylisting_asks_each_pair_to_come_back_once(living: LivingWorld) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        deliver(living, "greylist.test", "patient")
    assert refused.value.recipients["patient@greylist.test"] == (450, b"4.7.1 Come back later")
    deliver(living, "greylist.test", "patient")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        deliver(living, "greylist.test", "another")
    assert len(living.arrived("patient@greylist.test")) == 1


@pytest.mark.parametrize(
    ("domain", "reply"),
    [
        ("full.test", (452, b"4.2.2 <testina@full.test>: mailbox full")),
        ("bounce.test", (550, b"5.1.1 <testina@bounce.test>: no such mailbox")),
    ],
)
def test_refused_recipients(living: LivingWorld, domain: str, reply: tuple[int, bytes]) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        deliver(living, domain, "testina")
    assert refused.value.recipients[f"testina@{domain}"] == reply
    counters = living.world.store.count(domain)
    assert (counters.body_bytes, counters.recipients_refused) == (0, 1)


def test_slow_takes_its_time_before_every_reply(living: LivingWorld) -> None:
    began = time.monotonic()
    with connect(living, "slow.test") as client:
        client.noop()
    assert time.monotonic() - began > 3 * BY_NAME["slow.test"].delay


def test_hangup_ends_before_any_body_byte(living: LivingWorld) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        deliver(living, "hangup.test", "testina")
    assert living.world.store.count("hangup.test").body_bytes == 0


def test_lostreply_has_the_message_though_the_client_cannot_know_bi_023(living: LivingWorld) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        deliver(living, "lostreply.test", "testina")
    assert living.arrived("testina@lostreply.test")[0].raw == BODY


def test_refused_content_is_seen_and_in_no_mailbox(living: LivingWorld) -> None:
    with pytest.raises(smtplib.SMTPDataError, match=r"5\.6\.0"):
        deliver(living, "reject.test", "testina")
    assert living.world.mailbox("testina@reject.test") == ()
    assert living.world.store.saw(b"TEST-0001", "reject.test")


def test_small_refuses_by_declared_size_and_by_what_comes(living: LivingWorld) -> None:
    large = BODY + b"x" * 990 + b"\r\n"
    with pytest.raises(smtplib.SMTPSenderRefused, match=r"5\.3\.4"):
        deliver(living, "small.test", "declared", large)
    with connect(living, "small.test") as client:
        secure(living, client, "small.test")
        client.mail("nora@clinic.test")
        client.rcpt("undeclared@small.test")
        assert client.data(large)[0] == 552
    assert living.world.mailbox("undeclared@small.test") == ()


def test_closed_refuses_the_connection_and_keeps_its_port(living: LivingWorld) -> None:
    host, port = living.world.dial["mx.closed.test"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=WAIT)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((host, port))


def test_old_tls_fails_a_current_client_bi_039(living: LivingWorld) -> None:
    with connect(living, "oldtls.test") as client, pytest.raises(ssl.SSLError, match="alert protocol version"):
        secure(living, client, "oldtls.test", verify=False)
    assert living.world.store.count("oldtls.test").body_bytes == 0


def raw_session(living: LivingWorld, domain: str) -> socket.socket:
    client = socket.create_connection(living.world.dial[BY_NAME[domain].mx], timeout=WAIT)
    assert client.recv(4096).startswith(b"220 ")
    return client


def test_injecting_puts_text_before_the_handshake_bi_009(living: LivingWorld) -> None:
    with raw_session(living, "injecting.test") as client:
        client.sendall(b"EHLO me\r\n")
        client.recv(4096)
        client.sendall(b"STARTTLS\r\n")
        assert client.recv(4096) == b"220 2.0.0 Go ahead\r\n250 2.0.0 Never mind\r\n"


def test_babble_never_ends_its_reply_bi_024(living: LivingWorld) -> None:
    with raw_session(living, "babble.test") as client:
        client.sendall(b"EHLO me\r\n")
        got = b""
        while len(got) < 200_000:
            got += client.recv(65536)
        assert b"\r\n250 " not in got


def test_commands_before_the_handshake_are_not_carried_into_tls_bi_008(living: LivingWorld) -> None:
    with raw_session(living, "verified.test") as plain:
        plain.sendall(b"EHLO me\r\n")
        plain.recv(4096)
        plain.sendall(b"STARTTLS\r\nEHLO injected\r\n")
        assert plain.recv(4096) == b"220 2.0.0 Go ahead\r\n"
        context = ssl.create_default_context(cafile=str(living.world.ca_file))
        with context.wrap_socket(plain, server_hostname="mx.verified.test") as client:
            client.sendall(b"MAIL FROM:<a@clinic.test>\r\n")
            assert client.recv(4096).startswith(b"503 ")  # no EHLO has been said


def test_pipelined_commands_and_a_body_in_pieces(living: LivingWorld) -> None:
    with raw_session(living, "plain.test") as client:
        client.sendall(
            b"EHLO me\r\nMAIL FROM:<a@clinic.test> SIZE=9\r\nRCPT TO:<pieces@plain.test>\r\n"
            b"RCPT TO:<x@other.test>\r\nDATA\r\n"
        )
        got = b""
        while b"354" not in got:
            got += client.recv(4096)
        assert b"550 5.7.1" in got
        for piece in (b"Subject: x\r\n\r", b"\n.", b".one\r", b"\n\n", b"..\r\n", b".", b"\r", b"\nQUIT\r\n"):
            client.sendall(piece)
            time.sleep(0.01)
        while b"221" not in got:
            got += client.recv(4096)
    (mail,) = living.arrived("pieces@plain.test")
    assert mail.raw == b"Subject: x\r\n\r\n.one\r\n\n..\r\n"
    assert mail.faults == ("bare-newline",)
    assert mail.recipients == ("pieces@plain.test",)
    assert "SIZE=9" in mail.parameters


def test_an_empty_body_and_a_second_transaction(living: LivingWorld) -> None:
    with raw_session(living, "plain.test") as client:
        for _ in range(2):
            client.sendall(b"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<empty@plain.test>\r\nDATA\r\n")
            got = b""
            while b"354" not in got:
                got += client.recv(4096)
            client.sendall(b".\r\n")
            while b"250 2.0.0" not in got:
                got += client.recv(4096)
    mails = living.arrived("empty@plain.test", 2)
    assert [(m.raw, m.sender, m.transaction) for m in mails] == [(b"", "", 1), (b"", "", 2)]
    assert mails[0].connection == mails[1].connection


def test_a_lost_connection_leaves_what_was_seen(living: LivingWorld) -> None:
    with raw_session(living, "plain.test") as client:
        client.sendall(b"EHLO me\r\nMAIL FROM:<a@clinic.test>\r\nRCPT TO:<half@plain.test>\r\nDATA\r\n")
        while b"354" not in client.recv(4096):
            pass
        client.sendall(b"Subject: half\r\n\r\nTEST-0077 and then")

    def incomplete() -> list[Mail]:
        return [m for m in living.world.store.mails("plain.test") if not m.complete]

    assert living.call(living.world.store.wait(lambda _: bool(incomplete()), 10))
    assert incomplete()[0].raw.endswith(b"TEST-0077 and then")
    assert living.world.mailbox("half@plain.test") == ()


def test_endless_lines_and_unknown_commands_are_bounded(living: LivingWorld) -> None:
    with raw_session(living, "plain.test") as client:
        client.sendall(b"FLY ME\r\n")
        assert client.recv(4096).startswith(b"500 ")
        client.sendall(b"DATA\r\n")
        assert client.recv(4096).startswith(b"554 ")
        client.sendall(b"x" * 10_000)
        assert client.recv(4096).startswith(b"500 ")
        assert client.recv(4096) == b""


def test_a_posture_may_change_while_it_runs(living: LivingWorld) -> None:
    servers = living.world.servers
    try:
        servers.become("stsother.test", starttls=Starttls.NEVER)
        with connect(living, "stsother.test") as client:
            assert not client.has_extn("starttls")
        servers.become("stsother.test", starttls=Starttls.ALWAYS, certificate=Certificate.EXPIRED)
        with connect(living, "stsother.test") as client, pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            secure(living, client, "stsother.test")
    finally:
        servers.become("stsother.test", starttls=Starttls.ALWAYS, certificate=Certificate.VALID)


def test_dane_key_matches_the_published_digest(living: LivingWorld) -> None:
    """openssl's own DANE check with the record the DNS publishes."""
    digest = spki_sha256(living.world._authority.of(BY_NAME["dane.test"])).hex()
    host, port = living.world.dial["mx.dane.test"]
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-starttls", "smtp", "-dane_tlsa_domain", "mx.dane.test",
         "-dane_tlsa_rrdata", f"3 1 1 {digest}"],
        input="QUIT\r\n", capture_output=True, text=True, timeout=30, check=False,
    ).stdout  # fmt: skip
    assert "Verification: OK" in shown
    assert "DANE TLSA 3 1 1" in shown


def test_base64_parts_are_what_they_were(living: LivingWorld) -> None:
    sample = people.SAMPLES[0]
    deliver(living, "verified.test", "sample", people.mime(sample))
    (mail,) = living.arrived("sample@verified.test")
    joined = mail.raw.replace(b"\r\n", b"")
    assert sample.attachment.data in mail.raw or base64.b64encode(sample.attachment.data) in joined
