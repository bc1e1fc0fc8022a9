"""The signing key is generated, kept for its owner only, and never weak."""

import stat

import pytest
from pydantic import SecretStr

from backend.accounts.secret_key import FILE, load_or_create
from backend.settings import BadSettings, Settings


def test_the_key_is_made_once(settings: Settings) -> None:
    key = load_or_create(settings)
    assert len(bytes.fromhex(key)) == 32
    assert load_or_create(settings) == key
    assert stat.S_IMODE((settings.data_dir / FILE).stat().st_mode) == 0o600


def test_a_key_that_others_can_read_is_refused(settings: Settings) -> None:
    load_or_create(settings)
    (settings.data_dir / FILE).chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        load_or_create(settings)


@pytest.mark.parametrize(
    "key",
    [
        "a" * 64,
        "changeme" * 5,
        "please-replace-this-key-0123456789",
        "example-key-abcdefghijklmnop12345",
    ],
)
def test_known_weak_keys_are_refused(settings: Settings, key: str) -> None:
    settings.secret_key = SecretStr(key)
    with pytest.raises(BadSettings, match="too weak"):
        load_or_create(settings)
