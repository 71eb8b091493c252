"""How long events gather between two batches of a shard."""

from carepost.journal import drains


def test_a_message_alone_is_in_history_soon_and_many_share_a_commit() -> None:
    assert drains.rest_after(3) == drains.GATHER
    assert drains.rest_after(drains.MANY) == drains.GATHER_MANY > drains.GATHER


def test_nobody_rests_while_more_is_there_or_nothing_came() -> None:
    assert drains.rest_after(drains.LIMIT) == 0
    assert drains.rest_after(0) == 0
