"""The office's questions: one worker each, started for it. Blocking, for a second at most when the machine is quiet."""

import subprocess
from typing import Final

from carepost.confined import process
from carepost.ground import log
from carepost.ground.errors import Refused, Unavailable
from carepost.rendering import frames, start
from carepost.rendering.types import MAX_VARIABLES, Compiled, Fault, Rendered, Source

_SECONDS: Final = start.READY + 2 * start.CPU


class TemplateFault(Refused):
    """What is wrong with a template or its variables, in words that name the mend."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"template-{fault.code}", fault.words, status=422)
        self.fault = fault


def compile_(source: Source) -> Compiled:
    """Raises TemplateFault, Unavailable."""
    answer = _ask(frames.Compile(source))
    if not isinstance(answer, Compiled):
        raise Unavailable("rendering", "Templates cannot be compiled now; try again.")
    return answer


def render(compiled: Compiled, variables: bytes) -> Rendered:
    """`variables`: a JSON object. Raises TemplateFault, Unavailable."""
    if len(variables) > MAX_VARIABLES:
        raise TemplateFault(Fault("variable", "The variables are longer than 64 KB."))
    answer = _ask(frames.Render(compiled.digest, compiled, variables))
    if not isinstance(answer, Rendered):
        raise Unavailable("rendering", "Templates cannot be rendered now; try again.")
    return answer


def _ask(job: frames.Job) -> frames.Answer:
    try:
        said, code = process.once(start.command(), job, frames.ANSWERS, _SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.failure("rendering-not-started", error)
        raise Unavailable("rendering", "Templates cannot be rendered now; try again.") from None
    if not said or not isinstance(said[0], frames.Ready):
        log.event("rendering-not-started", code=code)
        raise Unavailable("rendering", "Templates cannot be rendered now; try again.")
    if len(said) < 2:
        # it was ended by the kernel, or by a parser that ran out of stack
        raise TemplateFault(Fault("limit", "The template is nested too deeply or takes too long; make it simpler."))
    answer = said[1]
    if isinstance(answer, Fault):
        raise TemplateFault(answer)
    return answer
