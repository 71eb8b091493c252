"""Signatures as independent implementations check them: standardwebhooks, SendGrid's helper, PyNaCl; and what our own
verifier refuses (BI-092)."""

import base64
import json

import pytest
import standardwebhooks
from nacl.signing import VerifyKey
from sendgrid.helpers.eventwebhook import EventWebhook

from carepost.client.webhooks import Forged, verify
from carepost.ground import clock
from carepost.webhooks import signing

pytestmark = pytest.mark.fast

BODY = json.dumps({"type": "delivery.sent", "data": {"n": 1}}).encode()
ID = "0199a7b0-0000-7000-8000-000000000001"


def now() -> int:
    return clock.now() // 1_000_000


def test_hmac_is_what_standardwebhooks_expects_of_each_secret_of_the_overlap() -> None:
    old, new = signing.make(), signing.make()
    headers = signing.headers([new, old], ID, now(), BODY)
    for keys in (old, new):
        assert standardwebhooks.Webhook(signing.secret(keys)).verify(BODY, headers)["type"] == "delivery.sent"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(signing.secret(signing.make())).verify(BODY, headers)


def test_ed25519_is_what_nacl_expects() -> None:
    keys = signing.make()
    headers = signing.headers([keys], ID, now(), BODY)
    value = next(part for part in headers["webhook-signature"].split() if part.startswith("v1a,"))
    public = base64.b64decode(signing.public(keys).removeprefix("whpk_"))
    text = f"{ID}.{headers['webhook-timestamp']}.".encode() + BODY
    assert VerifyKey(public).verify(text, base64.b64decode(value[4:])) == text


def test_ecdsa_is_what_sendgrids_helper_expects() -> None:
    old, new = signing.make(), signing.make()
    headers = signing.sendgrid_headers([new, old], now(), BODY)
    stamp, given = headers[signing.SENDGRID_TIMESTAMP], headers[signing.SENDGRID_SIGNATURE]
    known, following = (EventWebhook(signing.sendgrid_public(keys)) for keys in (old, new))
    # the receiver knows the older key until it ends; the newer one's signature stands beside
    assert known.verify_signature(BODY.decode(), given, stamp)
    assert following.verify_signature(BODY.decode(), headers[signing.NEXT], stamp)
    assert not known.verify_signature(BODY.decode() + " ", given, stamp)
    assert signing.NEXT not in signing.sendgrid_headers([new], now(), BODY)


def test_our_verifier_takes_either_key() -> None:
    keys = signing.make()
    headers = {name.title(): value for name, value in signing.headers([keys], ID, now(), BODY).items()}
    assert verify(BODY, headers, secret=signing.secret(keys))["data"] == {"n": 1}
    assert verify(BODY, headers, public_key=signing.public(keys))["data"] == {"n": 1}


@pytest.mark.parametrize("code", ["missing", "id", "time", "signature", "body"])
def test_our_verifier_refuses_bi_092(code: str) -> None:
    """BI-092: a forged signature, an old time, an id with a dot."""
    keys = signing.make()
    body, id_, at = BODY, ID, now()
    if code == "id":
        id_ = f"{ID}.1"
    if code == "time":
        at -= 3_600
    if code == "body":
        body = b"[]"
    headers = signing.headers([signing.make() if code == "signature" else keys], id_, at, body)
    if code == "missing":
        del headers["webhook-signature"]
    with pytest.raises(Forged) as refused:
        verify(body, headers, secret=signing.secret(keys), public_key=signing.public(keys))
    assert refused.value.code == code


def test_a_body_that_was_touched_and_nonsense_are_refused() -> None:
    keys = signing.make()
    headers = signing.headers([keys], ID, now(), BODY)
    with pytest.raises(Forged):
        verify(BODY + b" ", headers, secret=signing.secret(keys))
    for nonsense in ("", "v1", "v1,", "v1,!", "v2,AAAA", "v1a,AAAA", "v1," + "A" * 5_000):
        with pytest.raises(Forged):
            verify(BODY, headers | {"webhook-signature": nonsense}, secret=signing.secret(keys))
    with pytest.raises(ValueError, match="whsec_"):
        verify(BODY, headers, secret="another")


def test_secrets_have_the_sizes_of_the_standard_and_show_nothing() -> None:
    keys = signing.make()
    assert 24 <= len(base64.b64decode(signing.secret(keys).removeprefix("whsec_"))) <= 64
    assert repr(keys) == "Keys()" and signing.decode(signing.encode(keys)) == keys
