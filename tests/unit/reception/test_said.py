"""The hash a repeated Idempotency-Key is held to: the same before and after a change of versions."""

import msgspec
import pytest
from msgspec.structs import replace

from carepost.reception.http import said
from carepost.wire import rest

pytestmark = pytest.mark.fast

#: what callers said, and the hash that the first version put on record for it
STORED = {
    "short": (
        '{"from":"Desk <desk@clinic.test>","to":["jane.roe@verified.test"],"subject":"Your visit","text":"See you."}',
        "f08260a70523f9f35ecd869d86b21279cdc3f3fd04751cc02d87416fd7626e12",
    ),
    "full": (
        '{"from":{"address":"desk@clinic.test","name":"Desk"},"to":["jane.roe@verified.test",'
        '{"address":"b@verified.test"}],"cc":["c@verified.test"],"bcc":["d@verified.test"],'
        '"reply_to":"answers@clinic.test","subject":"Café","text":"a","html":"<p>a</p>","attachments":'
        '[{"filename":"a.txt","content":"cmVzdA=="},{"filename":"b.png","content":"cmVzdA==",'
        '"content_type":"image/png","content_id":"b"}],"headers":{"X-Kind":"x"},"protection":{"minimum":"VERIFIED",'
        '"methods":["tls","portal"],"access":{"code":"Blue-42"}},"category":"operational","tags":["t"],'
        '"metadata":{"k":"v"},"send_at":"2026-11-22T10:00:00Z","expires_at":"2026-12-22T10:00:00Z"}',
        "4ca7c42de4407f924ad7b8ff62997dcb1cf5e29f157611dc013b09b29cf7d331",
    ),
}


def read(name: str) -> rest.Message:
    return msgspec.json.decode(STORED[name][0], type=rest.Message)


@pytest.mark.parametrize("name", STORED)
def test_a_key_used_before_a_change_of_versions_is_known_after_it(name: str) -> None:
    assert said.digest(read(name)).hex() == STORED[name][1]


def test_what_came_later_counts_where_it_is_said() -> None:
    plain = read("short")
    others = [
        replace(plain, reason="asked for"),
        replace(plain, test=True),
        replace(plain, attachments=(rest.Attachment("a.txt", upload_id="1"),)),
        replace(plain, attachments=(rest.Attachment("a.txt", upload_id="2"),)),
        replace(plain, attachments=(rest.Attachment("a.txt", "cmVzdA=="),)),
        replace(plain, template_id="x", variables={"a": msgspec.Raw(b"1")}),
    ]
    assert len({said.digest(one) for one in (plain, *others)}) == len(others) + 1


def test_every_field_counts_but_the_key() -> None:
    """A field added tomorrow is part of what is said, without anybody thinking of it."""
    counted = {*said._First.__struct_fields__, *said._later}
    assert set(rest.Message.__struct_fields__) - counted == {"idempotency_key"}
    plain = read("short")
    assert said.digest(replace(plain, idempotency_key="k-1")) == said.digest(plain)
