"""confined: processes that do one thing for us with what strangers wrote, and can do nothing else.

It knows nothing of what they do (`inspection` reads messages, `rendering` fills templates) and never gives them a key,
an environment, a file or a network. Inside: `serving.pipe()`, `serving.shut()`, `serving.serve()`. Outside:
`await process.start(command, reader) -> Confined`, then `await confined.ask(job, seconds)`, `kill()`, `await end()`;
or `process.once`, which starts one for a single question. What passes is `frames`; what holds it is `confine.Held`.
"""
