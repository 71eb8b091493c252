"""SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

import base64
import hashlib
import hmac

import pytest

from carepost.crypto import scram
from carepost.crypto.scram import ScramError, Server

pytestmark = pytest.mark.fast

#: RFC 7677, section 3
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def client_final(password: str, first_bare: bytes, server_first: bytes, gs2: bytes = b"n,,") -> bytes:
    """An independent client: RFC 5802 3, written from the text."""
    part = dict(p.split("=", 1) for p in server_first.decode().split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(part["s"]), int(part["i"]))
    key = hmac.new(salted, b"Client Key", "sha256").digest()
    without = b"c=" + base64.b64encode(gs2) + b",r=" + part["r"].encode()
    signature = hmac.new(
        hashlib.sha256(key).digest(), b",".join((first_bare, server_first, without)), "sha256"
    ).digest()
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    return without + b",p=" + base64.b64encode(proof)


def test_the_vector_of_rfc_7677() -> None:
    server = Server(b"secret", nonce=NONCE)
    assert server.start(CLIENT_FIRST) == "user"
    assert server.challenge(scram.make("pencil", 4096, SALT)) == SERVER_FIRST
    assert server.finish(CLIENT_FINAL) == SERVER_FINAL
    assert server.done


def exchange(verifier: str | None, password: str, first: bytes = b"n,,n=ann,r=abcdef", gs2: bytes = b"n,,") -> Server:
    server = Server(b"secret")
    server.start(first)
    answer = server.challenge(verifier)
    server.finish(client_final(password, first[len(gs2) :], answer, gs2))
    return server


def test_the_right_password_is_let_in() -> None:
    password = scram.new_password()
    assert exchange(scram.make(password), password).done
    assert exchange(scram.make(password), password, b"y,a=ann,n=ann,r=x", b"y,a=ann,").username == "ann"


def test_a_wrong_password_and_an_unknown_user_end_in_the_same_way() -> None:
    with pytest.raises(ScramError) as wrong:
        exchange(scram.make("right"), "wrong")
    with pytest.raises(ScramError) as unknown:
        exchange(None, "wrong")
    assert (wrong.value.code, wrong.value.public) == (unknown.value.code, unknown.value.public)
    assert wrong.value.code == "invalid-proof"


def test_an_unknown_user_has_a_stable_salt_that_looks_like_a_real_one() -> None:
    def salt(name: str, secret: bytes = b"secret", verifier: str | None = None) -> tuple[str, str]:
        server = Server(secret)
        server.start(b"n,,n=" + name.encode() + b",r=abc")
        _, s, i = server.challenge(verifier).decode().split(",")
        return s, i

    assert salt("nobody") == salt("nobody")
    assert salt("nobody") != salt("nobody2")
    assert salt("nobody") != salt("nobody", b"other")
    real = salt("ann", verifier=scram.make("x"))
    assert (len(real[0]), real[1]) == (len(salt("nobody")[0]), salt("nobody")[1])


def test_an_unknown_user_cannot_enter_with_the_key_nobody_has() -> None:
    """The arithmetic for an unknown user runs with a stored key of zeros: no proof may fit it."""
    for proof in (bytes(32), b"", b"\0" * 31, b"\xff" * 32):
        server = Server(b"secret")
        server.start(b"n,,n=nobody,r=abc")
        nonce = server.challenge(None).split(b",")[0]
        with pytest.raises(ScramError, match="invalid-proof"):
            server.finish(b"c=biws," + nonce + b",p=" + base64.b64encode(proof))


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (b"p=tls-unique,,n=a,r=x", "server-does-not-support-channel-binding"),
        (b"n,,m=ext,n=a,r=x", "extensions-not-supported"),
        (b"n,,n=,r=x", "invalid-username-encoding"),
        (b"n,,n=a=2,r=x", "invalid-username-encoding"),
        (b"n,,n=a\x01,r=x", "invalid-username-encoding"),
        (b"n,a=other,n=a,r=x", "other-error"),
        (b"n,,n=a,r=", "other-error"),
        (b"n,,n=a,r=with space", "other-error"),
        (b"x,,n=a,r=x", "other-error"),
        (b"n,,r=x,n=a", "other-error"),
        (b"", "other-error"),
        (b"n,,n=\xff,r=x", "other-error"),
        (b"n,,n=a,r=" + b"x" * 3000, "other-error"),
    ],
)
def test_bad_openings_are_refused(first: bytes, code: str) -> None:
    with pytest.raises(ScramError) as caught:
        Server(b"s").start(first)
    assert caught.value.code == code


def test_a_name_may_hold_comma_and_equals_sign() -> None:
    assert Server(b"s").start(b"n,,n=a=2Cb=3Dc,r=x") == "a,b=c"


@pytest.mark.parametrize(
    "final",
    [
        b"c=biws,r=other,p=AAAA",
        b"c=eSws,r={nonce},p=AAAA",
        b"c=!!,r={nonce},p=AAAA",
        b"c=biws,r={nonce}",
        b"c=biws,r={nonce},p=!!",
        b"r={nonce},p=AAAA",
        b"c=biws,r={nonce},p=AAAA,p=",
        b"",
    ],
)
def test_bad_final_messages_are_refused(final: bytes) -> None:
    server = Server(b"s")
    server.start(b"n,,n=ann,r=abc")
    nonce = server.challenge(scram.make("pw")).split(b",")[0][2:]
    with pytest.raises(ScramError):
        server.finish(final.replace(b"{nonce}", nonce))
    assert not server.done


def test_steps_out_of_order_end_the_exchange() -> None:
    with pytest.raises(ScramError):
        Server(b"s").finish(CLIENT_FINAL)
    with pytest.raises(ScramError):
        Server(b"s").challenge(None)
    server = Server(b"s", nonce=NONCE)
    server.start(CLIENT_FIRST)
    server.challenge(scram.make("pencil", 4096, SALT))
    server.finish(CLIENT_FINAL)
    with pytest.raises(ScramError):
        server.finish(CLIENT_FINAL)


def test_plain_is_checked_against_the_same_verifier() -> None:
    verifier = scram.make("correct")
    assert scram.check_plain(verifier, "correct")
    assert not scram.check_plain(verifier, "incorrect")
    assert not scram.check_plain(verifier, "")
    assert not scram.check_plain(verifier, "con\x00trol")
    assert not scram.check_plain(verifier, "\ud800")


def test_a_verifier_holds_no_password_and_has_the_stored_form() -> None:
    verifier = scram.make("hunter-two", salt=SALT)
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert "hunter" not in verifier
    scram.Verifier(verifier)


@pytest.mark.parametrize(
    "text",
    ["", "x", "SCRAM-SHA-1$4096:AA==$AA==:AA==", "SCRAM-SHA-256$0:AA==$AA==:AA==", "SCRAM-SHA-256$a:b$c:d",
     "SCRAM-SHA-256$99999999:AAAA$" + "A" * 43 + "=:" + "A" * 43 + "="],
)  # fmt: skip
def test_a_text_that_is_no_verifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        scram.Verifier(text)


def test_new_passwords_are_long_random_and_need_no_quoting() -> None:
    made = {scram.new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(p) == 32 and p.isalnum() and p.isascii() for p in made)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("I\u00adX", "IX"), ("user", "user"), ("\u00aa", "a"), ("\u2168", "IX"), ("a\u00a0b", "a b")],
)
def test_saslprep_examples(given: str, wanted: str) -> None:
    """RFC 4013 section 3."""
    assert scram.prepare(given) == wanted


@pytest.mark.parametrize("given", ["\u0007", "\ue000", "\ufffd", "\u0340"])
def test_saslprep_refuses_prohibited_characters(given: str) -> None:
    if given == "\u0340":
        # NFKC maps this tone mark away before the table is asked
        assert scram.prepare(given) == "\u0300"
    else:
        with pytest.raises(ValueError):
            scram.prepare(given)
