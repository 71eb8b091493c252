"""A PostgreSQL server for the tests marked `postgres`: CAREPOST_TEST_POSTGRES names one, as its superuser; else a
temporary cluster of Debian's package is started before the first of them and ended after the last."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

_SCRIPT = Path(__file__).parent.parent / "tools" / "postgres.sh"
_VARIABLE = "CAREPOST_TEST_POSTGRES"
_FAILED = "TESTS_FAILED_FILE"
_cluster: Path | None = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    global _cluster
    if _VARIABLE in os.environ or not any(item.get_closest_marker("postgres") for item in items):
        return
    folder = Path(tempfile.mkdtemp(prefix="carepost-postgres-"))
    folder.chmod(0o711)
    started = subprocess.run(["sh", str(_SCRIPT), "start", str(folder)], capture_output=True, text=True, timeout=120)
    if started.returncode == 0:
        _cluster = folder
        os.environ[_VARIABLE] = started.stdout.strip()
    else:
        # each test that needs it fails with a sentence of its own
        shutil.rmtree(folder, ignore_errors=True)


def pytest_sessionfinish() -> None:
    global _cluster
    if _cluster is not None:
        subprocess.run(["sh", str(_SCRIPT), "stop", str(_cluster)], capture_output=True, timeout=60)
        os.environ.pop(_VARIABLE, None)
        _cluster = None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What failed, one a line, in the file TESTS_FAILED_FILE names: tools/test.sh runs a few once more, alone."""
    file = os.environ.get(_FAILED)
    if file:
        reports = [one for kind in ("failed", "error") for one in terminalreporter.stats.get(kind, [])]
        Path(file).write_text("".join(f"{name}\n" for name in dict.fromkeys(one.nodeid for one in reports)))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A server on which databases and roles may be made."""
    url = os.environ.get(_VARIABLE)
    if not url:
        pytest.fail("There is no PostgreSQL for this test: install Debian's package, or set CAREPOST_TEST_POSTGRES.")
    return url


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names of tests must be the same in every worker: bytes may hold times and keys, and sets have no order."""
    return argname if isinstance(val, bytes | bytearray | set | frozenset | dict) else None


# the library's own limit of 200 ms an example is wall clock: it fails whatever runs first on a busy machine. Time that
# matters is measured where it is asked for, by ratio
settings.register_profile("carepost", deadline=None)
settings.load_profile("carepost")
