"""A process keeps to one processor of those it was given, and gives its children all of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from carepost.ground import processors

pytestmark = pytest.mark.fast

_KEEPS = """
import asyncio, os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from carepost.confined import process
from carepost.ground import processors

given = os.sched_getaffinity(0)
one = min(given)
counted = processors.count()
took = processors.keep(one)
found = []
def look(): found.append(os.sched_getaffinity(0))
thread = threading.Thread(target=look); thread.start(); thread.join()
ThreadPoolExecutor(1, initializer=processors.roam).submit(look).result()

async def child():
    asked = [sys.executable, "-c", "import os; os.write(1, str(sorted(os.sched_getaffinity(0))).encode())"]
    started = await process.start(asked, None)
    said = await started._process.stdout.read()
    await started.end()
    return said.decode()

print(took, found == [{one}, given], asyncio.run(child()) == str(sorted(given)), os.sched_getaffinity(0) == {one},
      processors.count() == counted)
"""


def test_a_thread_keeps_and_what_it_starts_roams_where_it_should() -> None:
    done = subprocess.run([sys.executable, "-c", _KEEPS], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True"] * 5, done.stderr


@pytest.mark.parametrize(
    ("given", "of", "places"),
    [
        pytest.param({4, 7}, 2, [4, 7], id="each its own"),
        pytest.param({4, 7}, 4, [4, 7, 4, 7], id="two on each"),
        pytest.param({4, 7}, 1, [None], id="one engine, two processors: it may use either"),
        pytest.param({4, 7}, 3, [None, None, None], id="uneven"),
        pytest.param({0, 1, 2, 3}, 2, [None, None], id="fewer engines than processors"),
        pytest.param({0}, 1, [None], id="one processor"),
    ],
)
def test_engines_have_a_processor_of_their_own_where_they_come_out_even(
    monkeypatch: pytest.MonkeyPatch, given: set[int], of: int, places: list[int | None]
) -> None:
    monkeypatch.setattr(processors, "_ALL", frozenset(given))
    assert [processors.own(index, of) for index in range(of)] == places


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        pytest.param("max 100000\n", 8, id="no bound"),
        pytest.param("200000 100000\n", 2, id="two"),
        pytest.param("150000 100000\n", 2, id="one and a half are two engines"),
        pytest.param("10000 100000\n", 1, id="a tenth is one"),
        pytest.param("9900000 100000\n", 8, id="more than there are"),
        pytest.param("what is this", 8, id="not known"),
    ],
)
def test_a_container_s_bound_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, counted: int) -> None:
    monkeypatch.setattr(processors, "_ALL", frozenset(range(8)))
    bound = tmp_path / "cpu.max"
    bound.write_text(said)
    assert processors.count(bound) == counted
    assert processors.count(tmp_path / "none") == 8
