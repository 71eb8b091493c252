"""Counters and gauges of this process, kept in a dictionary; labels are closed words, never PHI."""

_values: dict[str, float] = {}


def count(name: str, n: float = 1) -> None:
    _values[name] = _values.get(name, 0) + n


def gauge(name: str, value: float) -> None:
    _values[name] = value


def snapshot() -> dict[str, float]:
    return dict(_values)
