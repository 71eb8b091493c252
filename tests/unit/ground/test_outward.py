"""Which addresses may be entered, and which may be called (BI-029, BI-090)."""

import pytest

from carepost.ground import outward
from carepost.ground.errors import ConfigError
from carepost.ground.outward import Allowed, Wrong

pytestmark = pytest.mark.fast

PUBLIC = Allowed()
SANDBOX = Allowed(sandbox=True)


@pytest.mark.parametrize(
    "url",
    ["http://ehr.example/hook", "ftp://ehr.example/", "file:///etc/passwd", "gopher://ehr.example/", "ehr.example",
     "https://", "https:///path", "https://localhost/", "https://LOCALHOST/", "https://localhost./",
     "https://a.localhost/", "https://printer.local/", "https://metadata.google.internal/", "https://intranet/",
     "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
     "https://10.1.2.3/", "https://192.168.0.1:8443/", "https://169.254.169.254/latest/meta-data/",
     "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/",
     "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://8.8.8.8/", "https://0.0.0.0/",
     "https://user:secret@ehr.example/", "https://ehr.example/#part", "https://ehr.example:22/",
     "https://ehr.example:25/", "https://ehr.example:99999/", "https://ehr.example/\r\nX: y", "https://ehr .example/",
     "https://ehr_.example/", "https://éhr.example/", "https://ehr.example/" + "a" * 2_000, "javascript:alert(1)",
     "https://[::1", "https://a..b/", "https://1.2.3/"],
    ids=lambda url: url[:40].encode("ascii", "replace").decode().replace("/", "_").replace("\r\n", "_"),
)  # fmt: skip
def test_bi_090_is_refused_when_it_is_entered(url: str) -> None:
    with pytest.raises(Wrong):
        outward.place(url, PUBLIC)


def test_public_hosts_are_taken() -> None:
    place = outward.place(" https://EHR.example:8443/hook?key=1 ", PUBLIC)
    assert (place.host, place.port, place.path, place.secure) == ("ehr.example", 8443, "/hook?key=1", True)
    assert place.authority == "ehr.example:8443" and outward.place("https://ehr.example", PUBLIC).path == "/"


def test_loopback_is_for_sandbox_homes() -> None:
    for url in ("http://localhost:9000/", "https://127.0.0.1:9000/", "http://[::1]:9000/"):
        assert outward.place(url, SANDBOX).port == 9000
    with pytest.raises(Wrong):
        outward.place("http://ehr.example/", SANDBOX)
    with pytest.raises(Wrong):
        outward.place("https://10.0.0.1/", SANDBOX)
    assert SANDBOX.address("127.0.0.1", "localhost") and SANDBOX.address("127.0.0.1", "127.0.0.1")
    # a name that DNS leads to loopback is not loopback that somebody named
    assert not SANDBOX.address("127.0.0.1", "ehr.example") and not PUBLIC.address("127.0.0.1", "localhost")


def test_the_settings_open_hosts_of_the_own_network_and_never_what_no_network_has() -> None:
    allowed = Allowed(("ehr.internal", "10.1.2.0/24", "fd00:1::/64", " Lab "))
    assert outward.place("https://ehr.internal/", allowed).host == "ehr.internal"
    assert outward.place("https://lab/", allowed).host == "lab"
    assert outward.place("https://10.1.2.9:8443/", allowed).literal
    for url in ("https://other.internal/", "https://10.1.3.9/", "https://169.254.169.254/"):
        with pytest.raises(Wrong):
            outward.place(url, allowed)
    assert allowed.address("10.9.9.9", "ehr.internal") and allowed.address("10.1.2.7", "hook.example")
    assert not allowed.address("10.9.9.9", "hook.example")
    every = Allowed(("0.0.0.0/0", "::/0", "ehr.internal"))
    for address in ("127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:10.0.0.1"):
        assert not every.address(address, "ehr.internal"), address


@pytest.mark.parametrize("entry", ["not a host", "10.0.0.0/99", "https://x.test", "1.2.3", "0x7f.1"])
def test_a_setting_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ConfigError, match="webhook_hosts"):
        Allowed((entry,))
