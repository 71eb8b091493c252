"""SMTP in (RFC 5321): a sans-I/O session (bytes in, effects out) and the uvloop server around it.
Never relays without AUTH, never shows AUTH before TLS, never ends a message at anything but <CRLF>.<CRLF>,
never answers 250 before `intake.accept` returned.
Doors: `session.Session`, `server.SmtpServer`, `limits.Limits`.
"""
