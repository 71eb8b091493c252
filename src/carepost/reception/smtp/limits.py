"""The limits of one SMTP session, each against one attack. Times in seconds, sizes in bytes."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    #: RFC 5321 4.5.3.2.7 asks a server to wait at least 5 minutes for a command; a whole line must come within it,
    #: one byte a minute does not prolong it (BI-022)
    command_timeout: float = 300.0
    #: during DATA `data_step` bytes must come within this
    data_timeout: float = 600.0
    data_step: int = 65_536
    handshake_timeout: float = 30.0
    #: how long what a refused peer still sends is read and dropped, so that it sees our reply before a reset
    linger: float = 2.0
    max_message: int = 52_428_800
    #: RFC 5321 4.5.3.1.8: at least 100; further ones get 452 and the accepted ones stand (BI-020)
    max_recipients: int = 1000
    #: RFC 5321 4.5.3.1.4 says 512 and lets extensions add: DSN and SMTPUTF8 add up to about 1,500, AUTH 12,288
    max_line: int = 4096
    max_auth_line: int = 12_288
    #: replies of 4xx or 5xx in one session, then 421
    max_errors: int = 20
    #: refused recipients are counted apart: a list may hold many bad addresses
    max_refused_recipients: int = 1000
    #: commands since the last accepted message that carried none forward (NOOP, RSET, EHLO, VRFY ...)
    max_idle_commands: int = 200
    max_recipient_commands: int = 100_000
    max_connections: int = 2000
    #: connections from one client address; engines behind a load balancer set it to max_connections
    max_per_client: int = 500
