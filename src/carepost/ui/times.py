"""Times in words, always with their zone. Microseconds since 1970, UTC (ground.clock)."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def moment(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)


def words(us: int) -> str:
    """`21 Nov 2026, 18:48 UTC`; "" for 0, which means no time."""
    if not us:
        return ""
    at = moment(us)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def exact(us: int) -> str:
    """`2026-11-21 18:48:23.120 UTC`, for timelines where the order within a second matters."""
    return f"{moment(us):%Y-%m-%d %H:%M:%S}.{us // 1000 % 1000:03d} UTC" if us else ""


def day(us: int) -> str:
    at = moment(us)
    return f"{at.day} {at:%B %Y}"


def machine(us: int) -> str:
    """For `<time datetime>`."""
    return f"{moment(us):%Y-%m-%dT%H:%M:%SZ}"


def span(seconds: float) -> str:
    """`28 days`, `3 hours`, `1 minute`: the largest unit, rounded down; never "0 minutes"."""
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        count = int(seconds // size)
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
