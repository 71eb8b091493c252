"""CPU seconds and memory of process trees, read from /proc (Linux)."""

import os
import pathlib

TICK = os.sysconf("SC_CLK_TCK")


def _processes() -> dict[int, tuple[int, int]]:
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root: int) -> set[int]:
    """The pids of `root` and all its descendants alive now."""
    processes = _processes()
    todo, seen = [root], set()
    while todo:
        pid = todo.pop()
        if pid in processes and pid not in seen:
            seen.add(pid)
            todo += [child for child, (parent, _) in processes.items() if parent == pid]
    return seen


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, reaped children included."""
    processes = _processes()
    return sum(processes[pid][1] for pid in tree(root) if pid in processes) / TICK


def pss_mb(root: int) -> dict[str, float]:
    """Proportional set size by process (MB), keyed `pid name`."""
    sizes = {}
    for pid in tree(root):
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        pss = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
        words = command.split()
        name = " ".join(words[3:5]) if "carepost.processes.child" in command else "supervisor"
        sizes[f"{pid} {name}"] = pss / 1024
    return sizes
