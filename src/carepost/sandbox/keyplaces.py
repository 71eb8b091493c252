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


def directory(folder: Path, domains: tuple[Domain, ...]) -> dict[tuple[str, str], bytes]:
    """(host, path) -> the key there, binary."""
    found = {}
    for domain in domains:
        if domain.publishes is not Publishes.WKD:
            continue
        for address, public in owners.publishing(folder, domain).items():
            place = wkd.urls(address)[0].removeprefix(f"https://{domain.key_host}").partition("?")[0]
            found[domain.key_host, place] = certificate.read(public).raw
    return found


def with_directory(policies: App, keys: dict[tuple[str, str], bytes]) -> App:
    """The web server of policies, which holds the directory too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PATH):
            await policies(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0].lower()
        key = keys.get((host, scope["path"]))
        page = Page(b"Not here\n", "text/plain", 404) if key is None else Page(key, "application/octet-stream")
        await send_page(send, page, head=scope["method"] == "HEAD")

    return app
