"""`python -m carepost.rendering.worker MEMORY CPU`: compiles and runs templates that come through its pipe.

A parser that runs out of stack, or a template that runs out of memory, ends this process and nothing else."""

import sys

import msgspec

from carepost.confined import serving
from carepost.rendering import frames
from carepost.rendering.liquid import Workbench
from carepost.rendering.types import Compiled, Fault, Source


def main(arguments: list[str]) -> int:
    memory, cpu = (int(argument) for argument in arguments)
    pipe = serving.pipe(frames.MAX_FRAME)
    bench = Workbench()
    _warm(bench)
    held = serving.shut(memory)
    pipe.say(frames.Ready(tuple(sorted({*held.network, *held.files, *held.calls}))))
    serving.serve(pipe, cpu, lambda payload: bench.do(frames.job(payload)), _failed)
    return 0


def _failed(error: Exception) -> Fault:
    if isinstance(error, MemoryError):
        return Fault("limit", "The template needs more memory than it may have.")
    if isinstance(error, msgspec.DecodeError):
        return Fault("template", "What was asked cannot be read.")
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
