"""What a home calls itself where no public address is set: a link somebody gets must lead somewhere, over TLS wherever
it leaves the machine, to a name that the home's own certificate holds."""

from pathlib import Path

import pytest
from cryptography import x509

from carepost.ground.config import Config
from carepost.processes import certificates

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1", "http://localhost:81"), ("::1", "http://localhost:81"), ("localhost", "http://localhost:81"),
     ("127.0.0.2", "http://127.0.0.2:81"), ("0.0.0.0", "https://mail.clinic.test:81"),
     ("::", "https://mail.clinic.test:81"), ("192.0.2.7", "https://192.0.2.7:81"),
     ("2001:db8::7", "https://[2001:db8::7]:81"), ("mail.clinic.test", "https://mail.clinic.test:81")],
)  # fmt: skip
def test_an_address_names_what_can_be_reached_there(listen: str, address: str) -> None:
    assert Config(listen=listen, hostname="mail.clinic.test").address(81) == address


@pytest.mark.parametrize("listen", ["192.0.2.7", "2001:db8::7", "0.0.0.0", "::"])
def test_the_own_certificate_holds_that_name(tmp_path: Path, listen: str) -> None:
    config = Config(listen=listen, hostname="mail.clinic.test")
    certificates.ensure_for(tmp_path, config)
    leaf = x509.load_pem_x509_certificate((tmp_path / "mail.clinic.test.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    said = {str(name.value) for name in names}
    assert config.host in said and "localhost" in said
    assert "0.0.0.0" not in said and "::" not in said
