"""Who moves mail runs in long turns: the policy of a process that asked for it, and of its threads."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.fast

_SAID = """
import os, threading
from carepost.processes import turns
took, found = turns.long(), []
thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
thread.start()
thread.join()
print(took, found == [os.SCHED_BATCH] == [os.sched_getscheduler(0)])
"""


def test_a_process_and_its_threads_wait_their_turn() -> None:
    done = subprocess.run([sys.executable, "-c", _SAID], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True"], done.stderr
