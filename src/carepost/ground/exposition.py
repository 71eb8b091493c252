"""Figures as Prometheus reads them: text exposition format 0.0.4."""

from typing import Final

import msgspec

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
COUNTER: Final = "counter"
GAUGE: Final = "gauge"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Family(msgspec.Struct, frozen=True):
    """One metric. `samples`: labels and value; labels are closed words, numbers and host names of ours, never PHI."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[tuple[tuple[str, str], ...], float], ...]


def family(name: str, kind: str, text: str, *samples: tuple[dict[str, str], float]) -> Family:
    return Family(name, kind, text, tuple((tuple(labels.items()), value) for labels, value in samples))


def render(families: list[Family]) -> str:
    """Families without a sample are left out: an absent figure is not nought."""
    lines: list[str] = []
    for one in families:
        if not one.samples:
            continue
        lines += [f"# HELP {one.name} {one.help}", f"# TYPE {one.name} {one.kind}"]
        for labels, value in one.samples:
            shown = ",".join(f'{name}="{word.translate(_ESCAPES)}"' for name, word in labels)
            lines.append(f"{one.name}{{{shown}}} {_number(value)}" if shown else f"{one.name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
