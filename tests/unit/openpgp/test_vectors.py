"""The samples of RFC 9580, appendix A: a locked version 6 key (Argon2, AEAD) and a message to it (X25519, AEAD-OCB)."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESOCB3
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from carepost.crypto.openpgp import cipher, packets, secret, usable
from carepost.crypto.openpgp.errors import Malformed, Unusable
from carepost.crypto.openpgp.secret import WrongPassphrase
from tests.support.openpgp import now

#: A.4
UNLOCKED = b"""-----BEGIN PGP PRIVATE KEY BLOCK-----

xUsGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laMAGXKB
exK+cH6NX1hs5hNhIB00TrJmosgv3mg1ditlsLfCsQYfGwoAAABCBYJjh3/jAwsJ
BwUVCg4IDAIWAAKbAwIeCSIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce6
2azJBScJAgcCAAAAAK0oIBA+LX0ifsDm185Ecds2v8lwgyU2kCcUmKfvBXbAf6rh
RYWzuQOwEn7E/aLwIwRaLsdry0+VcallHhSu4RN6HWaEQsiPlR4zxP/TP7mhfVEe
7XWPxtnMUMtf15OyA51YBMdLBmOHf+MZAAAAIIaTJINn+eUBXbki+PSAld2nhJh/
LVmFsS+60WyvXkQ1AE1gCk95TUR3XFeibg/u/tVY6a//1q0NWC1X+yui3O24wpsG
GBsKAAAALAWCY4d/4wKbDCIhBssYbE8GCaaX5NUt+mxyKwwfHifBilZwj2Ul7Ce6
2azJAAAAAAQBIKbpGG2dWTX8j+VjFM21J0hqWlEg+bdiojWnKfA5AQpWUWtnNwDE
M0g12vYxoWM8Y81W+bHBw805I8kWVkXU6vFOi+HWvv/ira7ofJu16NnoUkhclkUr
k0mXubZvyl4GBg==
-----END PGP PRIVATE KEY BLOCK-----
"""
#: A.5
LOCKED = b"""-----BEGIN PGP PRIVATE KEY BLOCK-----

xYIGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laP9JgkC
FARdb9ccngltHraRe25uHuyuAQQVtKipJ0+r5jL4dacGWSAheCWPpITYiyfyIOPS
3gIDyg8f7strd1OB4+LZsUhcIjOMpVHgmiY/IutJkulneoBYwrEGHxsKAAAAQgWC
Y4d/4wMLCQcFFQoOCAwCFgACmwMCHgkiIQbLGGxPBgmml+TVLfpscisMHx4nwYpW
cI9lJewnutmsyQUnCQIHAgAAAACtKCAQPi19In7A5tfORHHbNr/JcIMlNpAnFJin
7wV2wH+q4UWFs7kDsBJ+xP2i8CMEWi7Ha8tPlXGpZR4UruETeh1mhELIj5UeM8T/
0z+5oX1RHu11j8bZzFDLX9eTsgOdWATHggZjh3/jGQAAACCGkySDZ/nlAV25Ivj0
gJXdp4SYfy1ZhbEvutFsr15ENf0mCQIUBA5hhGgp2oaavg6mFUXcFMwBBBUuE8qf
9Ock+xwusd+GAglBr5LVyr/lup3xxQvHXFSjjA2haXfoN6xUGRdDEHI6+uevKjVR
v5oAxgu7eJpaXNjCmwYYGwoAAAAsBYJjh3/jApsMIiEGyxhsTwYJppfk1S36bHIr
DB8eJ8GKVnCPZSXsJ7rZrMkAAAAABAEgpukYbZ1ZNfyP5WMUzbUnSGpaUSD5t2Ki
Nacp8DkBClZRa2c3AMQzSDXa9jGhYzxjzVb5scHDzTkjyRZWRdTq8U6L4da+/+Kt
ruh8m7Xo2ehSSFyWRSuTSZe5tm/KXgYG
-----END PGP PRIVATE KEY BLOCK-----
"""
#: A.8
MESSAGE = b"""-----BEGIN PGP MESSAGE-----

wV0GIQYSyD8ecG9jCP4VGkF3Q6HwM3kOk+mXhIjR2zeNqZMIhRmHzxjV8bU/gXzO
WgBM85PMiVi93AZfJfhK9QmxfdNnZBjeo1VDeVZheQHgaVf7yopqR6W1FT6NOrfS
aQIHAgZhZBZTW+CwcW1g4FKlbExAf56zaw76/prQoN+bAzxpohup69LA7JW/Vp0l
yZnuSj3hcFj0DfqLTGgr4/u717J+sPWbtQBfgMfG9AOIwwrUBqsFE9zW+f1zdlYo
bhF30A+IitsxxA==
-----END PGP MESSAGE-----
"""
PASSPHRASE = "correct horse battery staple"


PRIMARY = "cb186c4f0609a697e4d52dfa6c722b0c1f1e27c18a56708f6525ec27bad9acc9"
SUBKEY = "12c83f1e706f6308fe151a417743a1f033790e93e9978488d1db378da9930885"


def locked(memory: int) -> bytes:
    """A.5's lock on A.4's key with the memory we choose (a power of two of KiB): A.5 itself takes two gigabytes."""
    raw = b""
    for packet in packets.read(packets.unwrap(UNLOCKED, packets.PRIVATE, most=9_999)):
        body = packet.body
        if packet.tag in (packets.SECRET_KEY, packets.SECRET_SUBKEY):
            public, material = body[:-33], body[-32:]
            salt, nonce, head = bytes(range(16)), bytes(range(15)), bytes((0xC0 | packet.tag,))
            made = Argon2id(salt=salt, length=32, iterations=1, lanes=4, memory_cost=1 << memory)
            words = made.derive(PASSPHRASE.encode())
            key = HKDF(hashes.SHA256(), 32, None, head + b"\x06\x09\x02").derive(words)
            specifier = b"\x04" + salt + bytes((1, 4, memory))
            parameters = b"\x09\x02" + bytes((len(specifier),)) + specifier + nonce
            sealed = AESOCB3(key).encrypt(nonce, material, head + public)
            body = public + b"\xfd" + bytes((len(parameters),)) + parameters + sealed
        raw += packets.frame(packet.tag, body)
    return raw


def test_the_sample_key_opens_the_sample_message() -> None:
    made = secret.load(UNLOCKED)
    assert made.certificate.fingerprint == PRIMARY
    assert {s.key.fingerprint for s in made.secrets} == {PRIMARY, SUBKEY}
    assert cipher.decrypt(MESSAGE, [made]).content.data == b"Hello, world!"


def test_a_locked_key_needs_its_passphrase() -> None:
    raw = locked(10)
    for wrong in ("", "correct horse battery stapl"):
        with pytest.raises(WrongPassphrase):
            secret.load(raw, wrong)
    opened = secret.load(raw, PASSPHRASE)
    assert opened.secrets == secret.load(UNLOCKED).secrets
    assert cipher.decrypt(MESSAGE, [opened]).content.data == b"Hello, world!"


def test_a_lock_that_takes_gigabytes_is_refused_before_it_is_tried() -> None:
    for raw in (LOCKED, packets.unwrap(LOCKED, packets.PRIVATE, most=9_999).replace(b"\x01\x04\x15", b"\x01\x04\xff")):
        with pytest.raises(Malformed) as error:
            secret.load(raw, PASSPHRASE)
        assert error.value.code == "private-key-costly"


def named(who: str) -> bytes:
    """The sample key with a user id and its certification, made here by RFC 9580 5.2.4: the samples have none."""
    found = packets.read(packets.unwrap(UNLOCKED, packets.PRIVATE, most=9_999))
    public, material = found[0].body[:-33], found[0].body[-32:]
    uid = f"Pat Example <{who}>".encode()

    def sub(kind: int, body: bytes) -> bytes:
        return bytes((len(body) + 1, kind)) + body

    # made at a second after the key; it certifies and signs; its maker; SEIPD 2; the primary name; AES-256 and OCB
    hashed = sub(2, (1_669_824_484).to_bytes(4, "big")) + sub(27, b"\x03") + sub(33, b"\x06" + bytes.fromhex(PRIMARY))
    hashed += sub(30, b"\x09") + sub(25, b"\x01") + sub(39, b"\x09\x02")
    salt, head = bytes(range(16)), b"\x06\x13\x1b\x08" + len(hashed).to_bytes(4, "big") + hashed
    said = b"\x9b" + len(public).to_bytes(4, "big") + public + b"\xb4" + len(uid).to_bytes(4, "big") + uid
    digest = hashlib.sha256(salt + said + head + b"\x06\xff" + len(head).to_bytes(4, "big")).digest()
    made = Ed25519PrivateKey.from_private_bytes(material).sign(digest)
    certification = head + bytes(4) + digest[:2] + b"\x10" + salt + made
    whole = [packets.frame(one.tag, one.body) for one in found]
    whole[2:2] = [packets.frame(packets.USER_ID, uid), packets.frame(packets.SIGNATURE, certification)]
    return b"".join(whole)


def test_to_a_version_6_key_goes_what_it_alone_opens() -> None:
    made = secret.load(named("pat@home.test"))
    known = made.certificate
    assert (known.version, known.addresses, known.modern) == (6, ("pat@home.test",), True)
    assert usable.why_not(known, "pat@home.test", now()) == ""
    sent = cipher.encrypt(b"An invented result.", [("pat@home.test", known)], now())
    assert cipher.decrypt(sent, [made]).content.data == b"An invented result."
    raw = packets.unwrap(sent, packets.MESSAGE, most=9_999)
    # a session key packet of version 6 that names the subkey, and integrity protection of version 2
    assert bytes.fromhex(SUBKEY) in raw and [one.body[0] for one in packets.read(raw)] == [6, 2]
    with pytest.raises(Unusable, match="not for this address"):
        cipher.encrypt(b"x", [("somebody@home.test", known)], now())
    broken = named("pat@home.test").replace(b"Pat Example", b"Pat Exemple")
    assert usable.why_not(secret.load(broken).certificate, "pat@home.test", now()) == "weak-signature"


def test_a_key_without_a_name_is_for_nobody() -> None:
    known = secret.load(UNLOCKED).certificate
    assert (known.addresses, usable.why_not(known, "anyone@home.test", now())) == ((), "weak-signature")
