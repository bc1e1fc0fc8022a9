"""The one way in which the embedded database fails: a sentence for the user."""

import errno
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The database can not be started; the message is the line the user reads."""


def sentence(error: OSError, place: Path) -> str:
    """An `OSError` in plain words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk is full: no space left for the database in {place}."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"The database can not be kept in {place}: {error.strerror}. Set EASYTUNE_DATA_DIR."
    return f"The database can not be kept in {place}: {error.strerror or error}."
