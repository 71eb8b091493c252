"""Certificates by host name, reloaded without a new listener; a broken one never replaces a good one."""

import shutil
import socket
import ssl
import threading
from pathlib import Path

import pytest

from carepost.ground.errors import ConfigError
from carepost.processes import certificates
from carepost.reception import tls
from carepost.reception.sockets import bind


@pytest.fixture(autouse=True)
def at_every_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "EVERY", 0.0)


def folder(tmp_path: Path, *names: str) -> Path:
    """A folder with a certificate of its own CA for each name; `<name>.ca` beside it."""
    into = tmp_path / "tls"
    into.mkdir(exist_ok=True)
    for name in names:
        made = tmp_path / f"{name}.made"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        certificates.ensure(made, name)
        shutil.copy(made / "ca.pem", tmp_path / f"{name}.ca")
        for kind in ("pem", "key"):
            shutil.copy(made / f"{name}.{kind}", into / f"{name}.{kind}")
    return into


def served(found: tls.Certificates, asked: str | None, ca: Path) -> bool:
    """Whether a client that trusts only `ca` and asks for `asked` gets through."""
    here, there = socket.socketpair()
    here.settimeout(10)
    there.settimeout(10)

    def serve() -> None:
        try:
            found.context.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = asked is not None
    try:
        context.wrap_socket(here, server_hostname=asked).close()
    except OSError:
        return False
    finally:
        here.close()
        thread.join(10)
    return True


def test_each_name_gets_its_certificate_and_no_name_the_default(tmp_path: Path) -> None:
    found = tls.Certificates(folder(tmp_path, "mail.maple.test", "api.maple.test"), "mail.maple.test")
    assert served(found, "mail.maple.test", tmp_path / "mail.maple.test.ca")
    assert served(found, "api.maple.test", tmp_path / "api.maple.test.ca")
    assert not served(found, "api.maple.test", tmp_path / "mail.maple.test.ca")
    assert served(found, None, tmp_path / "mail.maple.test.ca")


def test_a_replaced_certificate_is_used_from_the_next_handshake_on(tmp_path: Path) -> None:
    into = folder(tmp_path, "mail.maple.test")
    found = tls.Certificates(into, "mail.maple.test")
    old = tmp_path / "old.ca"
    shutil.copy(tmp_path / "mail.maple.test.ca", old)
    assert served(found, "mail.maple.test", old)
    folder(tmp_path, "mail.maple.test")
    assert served(found, "mail.maple.test", tmp_path / "mail.maple.test.ca")
    assert not served(found, "mail.maple.test", old)


def test_a_certificate_that_breaks_keeps_its_last_good_form(tmp_path: Path) -> None:
    into = folder(tmp_path, "mail.maple.test")
    found = tls.Certificates(into, "mail.maple.test")
    (into / "mail.maple.test.pem").write_text("half written")
    assert served(found, "mail.maple.test", tmp_path / "mail.maple.test.ca")


def test_a_folder_without_a_pair_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no key beside it")
    with pytest.raises(ConfigError, match=r"No certificate in .*put mail\.maple\.test\.pem"):
        tls.Certificates(tmp_path, "mail.maple.test")


def test_a_taken_port_names_the_setting_and_the_mend() -> None:
    with bind("127.0.0.1", 0, "port_mx", shared=False) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"Port {port} on 127.0.0.1 is taken .* set port_mx"):
            bind("127.0.0.1", port, "port_mx", shared=False)


def test_engines_share_a_port() -> None:
    with bind("127.0.0.1", 0, "port_mx") as first, bind("127.0.0.1", first.getsockname()[1], "port_mx") as second:
        assert second.getsockname() == first.getsockname()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no address 192\.0\.2\.1"):
        bind("192.0.2.1", 0, "port_mx")
