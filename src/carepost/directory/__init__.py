"""What the engine must know of organisations: settings, rules, sender domains, credentials, keys, suppression.
Reads the office's `engine_*` views through a source and answers from memory; never writes, never imports Django.
A revocation holds within 2 s (the epoch is polled twice a second); unreadable for 60 s, every answer is Unavailable.
Doors: `Directory(source)`: `.snapshot`, `.credential`, `.api_key`, `.domain_owner`, `.epoch`, `.fresh`;
`SqlSource`, `StaticSource`; `bearer.split`."""

from carepost.directory.lookup import Directory
from carepost.directory.source import Loaded, Source, StaticSource

__all__ = ["Directory", "Loaded", "Source", "StaticSource"]
