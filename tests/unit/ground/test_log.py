"""What nobody catches, and what libraries write, is one of our lines, and its text stays out of the log."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.fast

PERSON = "jane.roe@verified.test"
SCRIPT = f"""
import asyncio, gc, logging, threading, warnings
from carepost.ground import log

log.start("engine-00")
log.catch()

def fails():
    raise ValueError("{PERSON}")

class Ending:
    def __del__(self):
        fails()

async def forgotten():
    async def task():
        fails()
    asyncio.ensure_future(task())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()

thread = threading.Thread(target=fails, name="{PERSON}")
thread.start()
thread.join()
asyncio.run(forgotten())
Ending()
gc.collect()
logging.getLogger("library").error("to %s", "{PERSON}")
warnings.warn("{PERSON}")
fails()
"""


def test_every_line_is_json_and_names_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert "jane" not in done.stderr and "jane" not in done.stdout
    assert [(one["event"], one.get("error", "")) for one in said] == [
        ("thread-failed", "ValueError"),
        ("library-log", "ValueError"),
        ("unraisable", "ValueError"),
        ("library-log", ""),
        ("library-log", ""),
        ("uncaught", "ValueError"),
    ]
    assert all(one["process"] == "engine-00" and one["at"] for one in said)
