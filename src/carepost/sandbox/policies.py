"""The MTA-STS policy hosts (RFC 8461 3.3): one HTTPS server, the policy chosen by the Host asked for."""

from carepost.sandbox.domains import Domain, MtaSts
from carepost.sandbox.web import App, Page, Receive, Scope, Send, send_page

PATH = "/.well-known/mta-sts.txt"


def policy(domain: Domain) -> str:
    mode = "testing" if domain.mta_sts is MtaSts.TESTING else "enforce"
    host = "mx.elsewhere.test" if domain.mta_sts is MtaSts.OTHER_MX else domain.mx
    return f"version: STSv1\r\nmode: {mode}\r\nmx: {host}\r\nmax_age: 604800\r\n"


def make(domains: tuple[Domain, ...]) -> App:
    texts = {domain.policy_host: policy(domain).encode() for domain in domains if domain.mta_sts}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0].lower()
        text = texts.get(host) if scope["path"] == PATH else None
        page = Page(b"Not here\n", "text/plain", 404) if text is None else Page(text, "text/plain")
        await send_page(send, page, head=scope["method"] == "HEAD")

    return app
