"""Prometheus' text format: what a label may hold, and what is left out."""

import pytest

from carepost.ground.errors import ConfigError
from carepost.ground.exposition import COUNTER, GAUGE, family, render
from carepost.processes import monitor

pytestmark = pytest.mark.fast


def test_a_label_is_escaped_and_a_family_without_samples_left_out() -> None:
    text = render([
        family("carepost_a", GAUGE, "One.", ({"name": 'a"b\\c\nd'}, 1.5)),
        family("carepost_b", COUNTER, "None."),
        family("carepost_c_total", COUNTER, "Two.", ({}, 3)),
    ])  # fmt: skip
    assert text == (
        '# HELP carepost_a One.\n# TYPE carepost_a gauge\ncarepost_a{name="a\\"b\\\\c\\nd"} 1.5\n'
        "# HELP carepost_c_total Two.\n# TYPE carepost_c_total counter\ncarepost_c_total 3\n"
    )


def test_an_address_is_told_apart_from_nonsense() -> None:
    assert monitor.address("127.0.0.1:9464") == ("127.0.0.1", 9464)
    assert monitor.address("[::1]:9464") == ("::1", 9464)
    for wrong in ("9464", ":9464", "localhost:", "localhost:0", "localhost:70000", "localhost:http"):
        with pytest.raises(ConfigError, match="CAREPOST_METRICS"):
            monitor.address(wrong)
