"""Failures of commands that are sentences for the user rather than bugs."""

from backend.data_dir import BadDataDir
from backend.embedded_postgres import EmbeddedPostgresError
from backend.errors import AppError
from backend.own_database import NoDatabase
from backend.schema import BadSchema
from backend.settings import BadSettings


class CommandError(Exception):
    """A command can not go on; the message says why and what to do."""


EXPECTED = (
    BadDataDir,
    BadSchema,
    BadSettings,
    EmbeddedPostgresError,
    NoDatabase,
    AppError,
    CommandError,
)
