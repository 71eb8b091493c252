"""The `journal` process: drains engines and office into log and history; the one writer of the records."""

import gc
import signal
import threading
from importlib import import_module

from carepost.processes.child import Start
from carepost.settings import boot

#: seconds between looks whether it is still this journal's turn
_LOOK = 2.0


def settle() -> None:
    """What is loaded stays: the collector need not walk through it, nor look after every 700 new objects, of which a
    batch makes a hundred thousand."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run(start: Start) -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    boot.setup("journal", at=start.home, settings=start.config, keys=start.keys)
    turn = None
    if start.config.node_address:
        # one of several: it stands by until it is the one that writes
        start.ready()
        turn = import_module("carepost.journal.turn").Turn(start.home, start.config, start.keys)
        if not turn.wait(stopping):
            return
    # by name, and late: it reads Django's models, which exist only once the settings do
    # what calls outside is loaded when the first webhook has something to say
    journal = import_module("carepost.journal.run").Journal(
        start.home,
        start.config,
        start.keys,
        lambda: import_module("carepost.processes.hooks").calls(start.home, start.config),
    )
    settle()
    journal.start()
    start.ready()
    while not stopping.wait(_LOOK):
        if turn is not None and not turn.held():
            # the supervisor starts it again, to stand by
            break
    journal.stop()
