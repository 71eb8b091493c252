"""docs/webhooks.md says of `bounce` and `bounce_class` what is told: the example against a real call, the words against
those there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from carepost.rfc import bounces

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DOCS = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
#: of one event alone
_OWN = ("event_id", "message_id", "delivery_id", "email", "order")


def documented() -> dict[str, Any]:
    (block,) = [one for one in re.findall(r"(?:^ {4}.*\n)+", DOCS, re.MULTILINE) if '"bounce_class"' in one]
    found: dict[str, Any] = json.loads(block)
    return found


def test_the_example_is_what_an_endpoint_is_told(cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any) -> None:
    endpoint()
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.failed(cast.maple, message, delivery, reason="user-unknown")
    house.commit()
    house.round()
    told = [json.loads(one.body) for one in there.told]
    (failed,) = [one for one in told if one["type"] == "delivery.failed"]
    example = documented()
    assert set(failed) == set(example) and set(failed["data"]) == set(example["data"])
    for name, value in failed["data"].items():
        assert name in _OWN or example["data"][name] == value, name
    assert set(failed["data"]["order"]) == set(example["data"]["order"])
    assert not [one for one in told if one["type"] != "delivery.failed" and "bounce" in one["data"]]


def test_every_word_and_class_there_is_stands_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)` \| [^|]+ \| ((?:`[a-z-]+`(?:, )?)+) \|$", DOCS, re.MULTILINE))
    said = {klass: set(re.findall(r"`([a-z-]+)`", words)) for klass, words in rows.items()}
    known: dict[str, set[str]] = {}
    for name, meaning in bounces.MEANINGS.items():
        known.setdefault(meaning.klass.value, set()).add(name)
    assert said == known
