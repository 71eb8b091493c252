"""What crosses a process: submissions, the frames of the engine's socket, the REST shapes.

Never opens a socket, never reads a clock, never decides. Shapes are msgspec Structs; fields are only added.
Doors: types (Submission, Accepted, views), doors (Call, Answer), rest (what `/api/v1/` reads and writes),
openapi (the engine's part of the document).
"""
