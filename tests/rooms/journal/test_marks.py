"""What the journal did last, by name: read one by one and several at once."""

import pytest

from carepost.archive.marks import Marks
from tests.support.outbox import Outbox

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_marks_are_read_one_by_one_and_several_at_once(outbox: Outbox) -> None:
    marks = Marks(outbox.store)
    assert (marks.get("never"), marks.several([])) == (0, [])
    for number in range(1, 501):
        marks.put(f"mark-{number}", number)
    marks.put("mark-7", 70)
    assert marks.several(["mark-3", "never", "mark-7", "mark-3"]) == [3, 0, 70, 3]
    assert marks.several([f"mark-{number}" for number in range(500, 0, -1)]) == [
        *range(500, 7, -1),
        70,
        *range(6, 0, -1),
    ]
