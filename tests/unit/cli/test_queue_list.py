"""`carepost queue list`: what is held says until when, and what then."""

import pytest

from carepost.cli import queue
from carepost.wire.types import DeliveryView, MessageView

pytestmark = pytest.mark.fast

#: 2026-11-21 14:02 UTC
AT = 1_795_269_720_000_000


@pytest.mark.parametrize(
    ("then", "words"), [("refuse", "back to its sender"), ("release", "sent as the rules then say")]
)
def test_held_mail_has_an_end(then: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    ends = DeliveryView("d", "ann@hospital.test", "held", "", "", "rule-holds", "Held.", "r", 0, until=AT, then=then)
    endless = DeliveryView("e", "bob@hospital.test", "held", "", "", "restored", "Held.", "", 0)
    message = MessageView("m", "o", AT, "desk@clinic.test", "", "", "api", "transactional", 1, (ends, endless))
    assert queue._list((message,), False) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "hospital.test" in line]
    assert lines[0].endswith(f"ann@hospital.test  held  until 2026-11-21T14:02:00.000000Z, then {words}")
    assert lines[1].endswith("bob@hospital.test  held")
