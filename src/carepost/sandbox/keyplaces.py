"""Where the sandbox's people publish their keys: SMIMEA and OPENPGPKEY in signed DNS, a Web Key Directory."""

from pathlib import Path
from typing import Final

from carepost.crypto.openpgp import certificate, dane, wkd
from carepost.crypto.smime import smimea
from carepost.sandbox import owners
from carepost.sandbox.domains import Domain, Publishes
from carepost.sandbox.records import Record
from carepost.sandbox.web import App, Page, Receive, Scope, Send, send_page

_PATH: Final = "/.well-known/openpgpkey/"


def records(folder: Path, domains: tuple[Domain, ...]) -> list[Record]:
    """Of those who publish in the DNS. `folder`: the world's."""
    found = []
    for domain in domains:
        for address, public in owners.publishing(folder, domain).items():
            if domain.publishes is Publishes.SMIMEA:
                found.append(Record(smimea.owner(address), "SMIMEA", f"3 0 0 {public.hex()}"))
            elif domain.publishes is Publishes.OPENPGPKEY:
                raw = certificate.read(public).raw
                found.append(Record(dane.owner(address), "TYPE61", f"\\# {len(raw)} {raw.hex()}"))
    return found


def directory(folder: Path, domains: tuple[Domain, ...]) -> dict[tuple[str, str], Page]:
    """(host, path) -> what is there: a key, binary, or where it moved."""
    found = {}
    for domain in domains:
        if not domain.key_hosts:
            continue
        for address, public in owners.publishing(folder, domain).items():
            key = Page(certificate.read(public).raw, "application/octet-stream")
            advanced, direct = (url.removeprefix("https://").partition("?")[0] for url in wkd.urls(address))
            if domain.publishes is not Publishes.WKD_DIRECT:
                host, _, path = advanced.partition("/")
                moved = Page(b"", "text/plain", 301, (("Location", f"https://{direct}"),))
                found[host, f"/{path}"] = moved if domain.publishes is Publishes.WKD_MOVED else key
            if domain.publishes is not Publishes.WKD:
                host, _, path = direct.partition("/")
                found[host, f"/{path}"] = key
    return found


def with_directory(policies: App, keys: dict[tuple[str, str], Page]) -> App:
    """The web server of policies, which holds the directories too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PATH):
            await policies(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0].lower()
        page = keys.get((host, scope["path"])) or Page(b"Not here\n", "text/plain", 404)
        await send_page(send, page, head=scope["method"] == "HEAD")

    return app
