"""Where mail comes in: SMTP (submission and MX), the HTTP send path, and the engine's socket for other processes.
Never decides how a message is protected, never writes a disk: everything enters by `intake.accept`, and 250 or 202
is said only after it returned. Sessions are sans-I/O; only `server`, `connection`, `doors` and `http` own sockets.
Doors: `smtp.server.SmtpServer`, `http.server.HttpServer`, `doors.DoorsServer`; built with `credentials.Credentials`,
`access.AccessProofs`, `tls.Certificates`, `sockets.bind` and the process's `spool.budget.Budget`.
"""
