"""A document of the wrong shape is answered with what may stand there, and never with what stood there."""

import json
from typing import Any

import msgspec
import pytest

from carepost.wire import rest, sendgrid
from carepost.wire.faults import fault

WHO = {"from": "nurse@clinic.test"}


def of(kind: Any, value: object) -> rest.Fault:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.json.decode(json.dumps(value), type=kind)
    return fault(raised.value, kind)


@pytest.mark.parametrize(
    ("value", "pointer", "words"),
    [
        ({**WHO, "Zebulon": 1}, "", "an unknown field; it may have from, to, cc,"),
        ({**WHO, "to": [{"Zebulon": "x"}]}, "/to/0", "an unknown field; it may have address, name"),
        ({**WHO, "attachments": [{"Zebulon": "x"}]}, "/attachments/0", "it may have filename, content, content_type,"),
        ({**WHO, "protection": {"access": {"Zebulon": 1}}}, "/protection/access", "it may have code, question, answer"),
        ({**WHO, "category": "Zebulon"}, "/category", "Not one of those there are: transactional, operational, mark"),
        ({**WHO, "protection": {"methods": ["tls", "Zebulon"]}}, "/protection/methods/1", "there are: tls, smime,"),
        ({**WHO, "protection": {"minimum": "Zebulon"}}, "/protection/minimum", "there are: NONE, ENCRYPTED,"),
        ({**WHO, "metadata": {"": "Zebulon"}}, "/metadata", "A name in it: Expected `str` of length >= 1"),
        ({**WHO, "metadata": {"Zebulon": 1}}, "/metadata/*", "Expected `str`, got `int`"),
        ({**WHO, "idempotency_key": "Zebulon\u00e9"}, "/idempotency_key", "matching regex '^[ -~]+$'"),
        ({"to": []}, "", "Object missing required field `from`"),
    ],
)
def test_of_a_message(value: dict[str, Any], pointer: str, words: str) -> None:
    found = of(rest.Message, value)
    assert found.pointer == pointer and words in found.detail
    assert "Zebulon" not in found.detail


@pytest.mark.parametrize(
    ("value", "pointer", "words"),
    [
        ({"messages": [WHO], "Zebulon": 1}, "", "Object contains an unknown field; it may have messages"),
        ({"messages": [{**WHO, "category": "Zebulon"}]}, "/messages/0/category", "transactional, operational"),
    ],
)
def test_of_a_batch(value: dict[str, Any], pointer: str, words: str) -> None:
    found = of(rest.Batch, value)
    assert found.pointer == pointer and words in found.detail


def test_of_sendgrids_words() -> None:
    mail = {"from": {"email": "nurse@clinic.test"}, "personalizations": [{"to": [{"email": "a@b.test", "Zebulon": 1}]}]}
    assert of(sendgrid.Mail, mail) == rest.Fault(
        "/personalizations/0/to/0", "Object contains an unknown field; it may have email, name"
    )
