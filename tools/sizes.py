"""The size rule: a module over 400 lines, a function over 60, or an import inside a function fails."""

import ast
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent.parent / "src" / "carepost"
MODULE, FUNCTION = 400, 60
#: finds its commands' modules by name (DESIGN 2)
IMPORTERS = {"cli/main.py"}


def faults(path: pathlib.Path) -> list[str]:
    text = path.read_text()
    name = str(path.relative_to(ROOT))
    found = []
    lines = text.count("\n")
    if lines > MODULE:
        found.append(f"{name}: {lines} lines, at most {MODULE}")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION:
            found.append(f"{name}:{node.lineno} {node.name}: {length} lines, at most {FUNCTION}")
        if name not in IMPORTERS:
            for inner in ast.walk(node):
                module = getattr(inner, "module", None) if isinstance(inner, ast.ImportFrom) else None
                if module and module.startswith("carepost"):
                    found.append(f"{name}:{inner.lineno} imports {module} inside a function")
    return found


def main() -> int:
    found = [f for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts for f in faults(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
