"""Where a test may make the disk fail or the process die. In the product there is no Faults object, and no cost."""

from typing import Final, Protocol

#: in the order a group passes them; `commit.before` is "lost", `commit.after` is "landed"
POINTS: Final = (
    "segment.write",  # before the chunks of large bodies are written
    "segment.synced",  # they are on disk, the rows are not
    "commit.before",  # every row is written, COMMIT has not been said
    "commit.after",  # COMMIT returned, nobody knows yet
    "answer.before",  # on the loop: the commit is known, no caller has been told
    "retire.commit",  # rows are forgotten
    "retire.unlink",  # before a segment file whose bodies are all dropped is removed
)


class Faults(Protocol):
    def at(self, point: str) -> None:
        """Returns, raises what a disk would raise (OSError, database error), or kills the process."""
