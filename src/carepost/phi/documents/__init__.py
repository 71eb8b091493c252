"""documents: the text of files and of files in files, and facts about them: never a verdict, never a fetch.

Bytes in, values out; nothing is written, run or opened elsewhere, and a hostile file costs no more than its limits.
Doors: `read.message(raw) -> Message`, `read.document(data, name, claimed) -> tuple[Document, ...]`, both total;
files of HTML go through `phi.render`. Values: `types` (Message, Document, Reading, Kind, Trait).
Meant for a process that may be killed: C code of zlib and expat runs here on bytes of strangers.
"""
