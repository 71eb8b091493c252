"""phi: what a text says about a person's health. Identifiers, vocabulary, scores, and the text of documents.

Pure: bytes or text in, findings out; never a socket, a database, a clock, and never a found value kept or shown.
Doors: `inspect.inspect(parts, own=None, words=None, unread=()) -> Findings`; `level.level(findings, recipient)`;
`explain.explain(findings, terms=True) -> tuple[str, ...]`; `custom.check(custom)` (ConfigError naming the mend);
`vocabulary.load() -> Vocabulary` (once a process, from the packages of the extra `phi`; ConfigError when missing).
`types` are the values, safe to pass over a pipe; `documents` is the text of files.
"""
