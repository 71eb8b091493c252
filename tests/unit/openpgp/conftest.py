from collections.abc import Iterator

import pytest

from carepost.crypto.openpgp.secret import PrivateKey
from tests.support.openpgp import JANE, MALLORY, NURSE, Gpg, key


@pytest.fixture(scope="session")
def nurse() -> PrivateKey:
    return key(NURSE, "Ward Seven")


@pytest.fixture(scope="session")
def jane() -> PrivateKey:
    return key(JANE, "Jane Example")


@pytest.fixture(scope="session")
def mallory() -> PrivateKey:
    return key(MALLORY)


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    home = Gpg()
    yield home
    home.close()
