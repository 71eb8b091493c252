"""AWS Signature Version 4 of one request: what is asked, of whom and when, under a key that is good for a day."""

import datetime
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec


class Access(msgspec.Struct, frozen=True):
    id: str
    secret: str
    session: str = ""

    def __repr__(self) -> str:
        return "Access()"


def sign(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    access: Access,
    *,
    region: str,
    service: str,
    at: int,
    method: str = "POST",
) -> dict[str, str]:
    """The headers to send, Authorization among them. `at`: UTC microseconds. Path and query of `url` hold nothing that
    would have to be escaped."""
    moment = datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    parts = urlsplit(url)
    sent = {**headers, "host": parts.netloc, "x-amz-date": stamp}
    if access.session:
        sent["x-amz-security-token"] = access.session
    lowered = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    names = ";".join(sorted(lowered))
    canonical = "\n".join([
        method, parts.path or "/", _query(parts.query), *[f"{name}:{lowered[name]}" for name in sorted(lowered)], "",
        names, hashlib.sha256(body).hexdigest(),
    ])  # fmt: skip
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + access.secret.encode()
    for word in (day, region, service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={access.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**sent, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _query(query: str) -> str:
    return "&".join(sorted(part if "=" in part else f"{part}=" for part in query.split("&") if part))
