"""The key that signs access tokens: generated into the data folder, readable by its owner only."""

import os
import secrets
import stat
from pathlib import Path

from backend.settings import BadSettings, Settings

FILE = "secret_key"
MIN_LENGTH = 32
MIN_DIFFERENT = 8
PLACEHOLDERS = ("changeme", "change-me", "change_me", "replace", "secret", "example", "insecure")


def load_or_create(settings: Settings) -> str:
    """The configured key, or the kept one, or a new one; raises `BadSettings` for a weak one."""
    if settings.secret_key is not None:
        return _checked(settings.secret_key.get_secret_value(), "EASYTUNE_SECRET_KEY")
    path = settings.data_dir / FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(handle, "w") as file:
        key = secrets.token_hex(32)
        file.write(key)
    return key


def _read(path: Path) -> str:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadSettings(f"{path} can be read by others; run: chmod 600 {path}")
    return _checked(path.read_text().strip(), str(path))


def _checked(key: str, where: str) -> str:
    weak = len(key) < MIN_LENGTH or len(set(key)) < MIN_DIFFERENT
    if weak or any(word in key.lower() for word in PLACEHOLDERS):
        raise BadSettings(f"{where}: the key is too weak; use: openssl rand -hex 32")
    return key
