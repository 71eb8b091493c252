"""From a template and one message's variables to subject, HTML and text, in a process that can do nothing else.

A template is an organisation's own program: it is compiled (MJML) and run (Liquid) in a worker without keys, files,
network or environment, within limits of time, memory, loops and output. Nothing here decides, stores or logs a value.
Doors: types (Source, Compiled, Rendered, Fault), pool.Renderer (the engine: `await render(compiled, variables)`),
once (`compile_`, `render`: the office, one question at a time, in a process started for it).
"""
