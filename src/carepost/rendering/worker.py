"""`python -m carepost.rendering.worker MEMORY CPU`: compiles and runs templates that come through its pipe.

It is given no key, no environment, no file and no network, and what it loads it loads before it shuts itself in.
Whatever kills it (a parser that runs out of stack, a template out of memory), kills nothing else."""

import gc
import logging
import os
import sys
from typing import BinaryIO

import msgspec

from carepost.inspection import confine
from carepost.rendering import frames
from carepost.rendering.liquid import Workbench
from carepost.rendering.types import Compiled, Fault, Source


def main(arguments: list[str]) -> int:
    memory, cpu = (int(argument) for argument in arguments)
    confine.die_with_parent()
    # a parser's complaint may quote what it read
    logging.disable(logging.CRITICAL)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source = sys.stdin.buffer
    bench = Workbench()
    _warm(bench)
    gc.collect()
    gc.freeze()
    confine.limit(memory)
    held = confine.shut(programs=False)
    _say(sink, frames.Ready(tuple(sorted({*held.network, *held.files, *held.calls}))))
    while (payload := _hear(source)) is not None:
        confine.limit_cpu(cpu)
        _say(sink, _answer(bench, payload))
    return 0


def _answer(bench: Workbench, payload: bytes) -> frames.Answer:
    try:
        return bench.do(frames.job(payload))
    except MemoryError:
        return Fault("limit", "The template needs more memory than it may have.")
    except msgspec.DecodeError:
        return Fault("template", "What was asked cannot be read.")
    except Exception:
        # never its text: it may quote a value
        return Fault("template", "The template cannot be carried out.")


def _warm(bench: Workbench) -> None:
    """Everything that is loaded at first use is loaded now: afterwards no file can be read."""
    body = "<mj-section><mj-column><mj-text>{{ a | upcase }}</mj-text></mj-column></mj-section>"
    made = bench.do(frames.Compile(Source("{{ a }}", f"<mjml><mj-body>{body}</mj-body></mjml>", mjml=True)))
    assert isinstance(made, Compiled)
    bench.do(frames.Render(made.digest, made, b'{"a": "2026-01-01"}'))
    dated = bench.do(frames.Compile(Source('{{ a | date: "%Y" }}', text="{% for x in b %}{{ x }}{% endfor %}")))
    assert isinstance(dated, Compiled)
    bench.do(frames.Render(dated.digest, dated, b'{"a": "2026-01-01", "b": [1]}'))


def _hear(source: BinaryIO) -> bytes | None:
    head = source.read(frames.HEAD)
    size = int.from_bytes(head, "big")
    if len(head) < frames.HEAD or size > frames.MAX_FRAME:
        return None
    payload = source.read(size)
    return payload if len(payload) == size else None


def _say(sink: BinaryIO, answer: frames.Answer) -> None:
    sink.write(frames.pack(answer))
    sink.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
