"""AUTH: only under TLS, three mechanisms, garbage, impersonation, domains, withdrawal (RFC 4954; BI-012..015)."""

import base64
import hashlib
import hmac

import pytest

from tests.support.clinics import PASSWORDS
from tests.support.talk import Authenticate, Talk

pytestmark = pytest.mark.fast


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_bi_012_auth_before_tls_is_538_and_nothing_is_checked() -> None:
    talk = Talk(secure=False)
    talk.say("EHLO x.test")
    assert talk.say("AUTH PLAIN " + b64("\0maple\0secret")) == ["538 5.7.11 Encryption required: say STARTTLS first"]
    assert talk.asked == []


def test_plain_with_and_without_initial_response() -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    assert talk.say("AUTH PLAIN") == ["334 "]
    talk.say(b64("\0maple\0pw"))
    assert talk.effect == Authenticate("maple", "pw")
    assert talk.replies(talk.session.authenticated(None)) == ["535 5.7.8 Name or password is wrong"]
    talk.say("AUTH plain " + b64("maple\0maple\0pw"))
    assert talk.effect == Authenticate("maple", "pw")


def test_login() -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    assert talk.say("AUTH LOGIN") == ["334 VXNlcm5hbWU6"]
    assert talk.say(b64("maple")) == ["334 UGFzc3dvcmQ6"]
    talk.say(b64("pw"))
    assert talk.effect == Authenticate("maple", "pw")
    talk.replies(talk.session.authenticated(None))
    assert talk.say("AUTH LOGIN " + b64("maple")) == ["334 UGFzc3dvcmQ6"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["AUTH LOGIN", "!!!"], "501"),
        (["AUTH LOGIN", b64("ma\0ple")], "501"),
        (["AUTH LOGIN", ""], "501"),
        (["AUTH PLAIN not-base64!"], "501"),
        (["AUTH PLAIN " + b64("no separators")], "501"),
        (["AUTH PLAIN " + b64("\0a\0b\0c")], "501"),
        (["AUTH PLAIN " + b64("\0\0")], "501"),
        (["AUTH PLAIN " + b64(b"\0a\xff\0b")], "501"),
        (["AUTH PLAIN ="], "501"),
        (["AUTH PLAIN", "*"], "501"),
        (["AUTH PLAIN " + b64("harbour\0maple\0pw")], "535"),
        (["AUTH XOAUTH2 abc"], "504"),
        (["AUTH"], "504"),
        (["AUTH SCRAM-SHA-256 " + b64("p=tls-unique,,n=maple,r=abc")], "535"),
        (["AUTH SCRAM-SHA-256 " + b64("n,a=harbour,n=maple,r=abc")], "535"),
        (["AUTH SCRAM-SHA-256 " + b64("garbage")], "535"),
    ],
)
def test_bi_014_garbage_nul_and_impersonation(lines: list[str], code: str) -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    said = talk.say(*lines)
    assert said[-1].startswith(code)
    assert talk.asked == []
    assert talk.say("NOOP") == ["250 2.0.0 OK"]


def scram(talk: Talk, username: str, password: str) -> list[str]:
    """The client's side of RFC 7677."""
    first = f"n={username},r=clientnonce"
    [challenge] = talk.say("AUTH SCRAM-SHA-256 " + b64("n,," + first))
    assert challenge.startswith("334 ")
    server_first = base64.b64decode(challenge[4:]).decode()
    nonce, salt, rounds = (part[2:] for part in server_first.split(","))
    assert nonce.startswith("clientnonce") and len(nonce) > 30
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    key = hmac.digest(salted, b"Client Key", "sha256")
    without = f"c=biws,r={nonce}"
    signature = hmac.digest(hashlib.sha256(key).digest(), f"{first},{server_first},{without}".encode(), "sha256")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    return talk.say(b64(f"{without},p={b64(proof)}"))


def test_scram_sha_256() -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    [final] = scram(talk, "maple", PASSWORDS["maple"])
    assert base64.b64decode(final[4:]).startswith(b"v=")
    assert talk.say("") == ["235 2.7.0 Authentication successful"]
    assert [s[:3] for s in talk.begin()] == ["250", "250", "354"]


@pytest.mark.parametrize("username", ["maple", "nobody"])
def test_scram_fails_for_a_wrong_password_and_for_an_unknown_user_alike(username: str) -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    assert scram(talk, username, "wrong") == ["535 5.7.8 Name or password is wrong"]


def test_bi_015_mail_from_of_another_domain_is_550_at_mail() -> None:
    talk = Talk().sign_in("maple")
    assert talk.say("MAIL FROM:<a@harbour.test>") == ["550 5.7.1 This credential may not send as that domain"]
    assert talk.say("MAIL FROM:<a@nowhere.test>")[0].startswith("550 5.7.1")
    assert talk.say("MAIL FROM:<a@sub.maple.test>")[0].startswith("550 5.7.1")
    assert talk.say("MAIL FROM:<a@MAPLE.test>") == ["250 2.1.0 OK"]


def test_a_credential_bound_to_a_domain_may_use_no_other_of_its_organisation() -> None:
    talk = Talk().sign_in("maple-lab")
    assert talk.say("MAIL FROM:<a@maple.test>")[0].startswith("550 5.7.1")
    assert talk.say("MAIL FROM:<a@lab.maple.test>") == ["250 2.1.0 OK"]


def test_a_withdrawn_credential_ends_at_its_next_mail() -> None:
    talk = Talk().sign_in("maple")
    talk.begin()
    talk.raw(b".\r\n")
    talk.take()
    talk.clinics.withdraw("maple-lab")
    assert talk.say("MAIL FROM:<a@maple.test>", "RSET")[0] == "250 2.1.0 OK"
    talk.clinics.withdraw("maple")
    assert talk.say("MAIL FROM:<a@maple.test>")[0].startswith("535 5.7.8") and talk.closing


def test_bi_013_an_address_that_fails_too_often_is_cut_off() -> None:
    talk = Talk(max_errors=1000)
    talk.say("EHLO x.test")
    for n in range(30):
        talk.say("AUTH PLAIN " + b64(f"\0user{n}\0pw"))
        talk.replies(talk.session.authenticated(None))
    assert talk.say("AUTH PLAIN " + b64("\0user\0pw"))[0].startswith("421 4.7.0") and talk.closing


def test_a_directory_that_cannot_be_read_is_454() -> None:
    talk = Talk()
    talk.say("EHLO x.test")
    talk.clinics.lose_office()
    assert talk.say("AUTH SCRAM-SHA-256 " + b64("n,,n=maple,r=abc")) == [
        "454 4.7.0 Cannot check passwords now; try again"
    ]
    assert talk.say("NOOP") == ["250 2.0.0 OK"]


def test_auth_twice_is_out_of_order() -> None:
    talk = Talk().sign_in()
    assert talk.say("AUTH PLAIN")[0].startswith("503")
