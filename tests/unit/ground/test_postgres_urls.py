"""Each process is given the database's address as its own role; nothing of the owner's login stays in it."""

import pytest

from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys
from carepost.ground.postgres import role_password, role_url

pytestmark = pytest.mark.fast


def test_the_owners_login_is_nowhere_in_a_roles_url() -> None:
    keys = PurposeKeys.ephemeral()
    url = "postgresql://owner:s3cret@db.test:5433/house?sslmode=require&user=owner&password=s3cret&passfile=/etc/p"
    made = role_url(url, "journal", keys)
    assert made == f"postgresql://house_journal:{role_password(keys, 'journal')}@db.test:5433/house?sslmode=require"


def test_a_roles_url_made_again_is_the_same() -> None:
    """A child that is given its own URL may pass it through the same function."""
    keys = PurposeKeys.ephemeral()
    made = role_url("postgresql:///house?host=/run/postgresql&user=owner", "engine", keys)
    assert "owner" not in made and "host=%2Frun%2Fpostgresql" in made
    assert role_url(made, "engine", keys) == made


def test_what_is_no_url_of_postgresql_is_refused() -> None:
    with pytest.raises(ConfigError, match="postgresql://"):
        role_url("mysql://a:b@c/d", "engine", PurposeKeys.ephemeral())
