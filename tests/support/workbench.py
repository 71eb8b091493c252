"""Templates compiled and filled by the worker's own code, without a worker for each: workers have tests of their own.

A module that imports `in_this_process` has it for every test; one that wants the worker calls `monkeypatch.undo()`."""

import pytest

from carepost.rendering import once
from carepost.rendering.frames import Compile, Render
from carepost.rendering.liquid import Workbench
from carepost.rendering.types import Compiled, Fault, Rendered


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Workbench()

    def ask(job: Compile | Render) -> Compiled | Rendered:
        found = bench.do(job)
        if isinstance(found, Fault):
            raise once.TemplateFault(found)
        return found

    monkeypatch.setattr(once, "_ask", ask)
