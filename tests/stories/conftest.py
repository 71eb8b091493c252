import pytest

from tests.support.mailhost import Ca


@pytest.fixture(scope="session")
def ca() -> Ca:
    return Ca()
