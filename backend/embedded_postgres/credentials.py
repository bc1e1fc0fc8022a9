"""Port and passwords of the embedded database: one file, readable by its owner only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self

from backend.embedded_postgres.failure import EmbeddedPostgresError

FILE = "connection.json"
SUPERUSER = "postgres"
APPLICATION = "easytune"


def _password() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Credentials:
    """The application has its own user, who owns its database and is no superuser."""

    port: int = 0
    superuser_password: str = field(default_factory=_password, repr=False)
    password: str = field(default_factory=_password, repr=False)
    prepared: bool = False  # the application's user and database exist
    server_pid: int | None = None

    @classmethod
    def load(cls, home: Path) -> Self | None:
        """What the file in `home` says, or None when there is none."""
        try:
            return cls(**json.loads((home / FILE).read_text()))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"{home / FILE} can only be read by the user who runs EasyTune; be that user."
            ) from error
        except (ValueError, TypeError) as error:
            raise EmbeddedPostgresError(
                f"{home / FILE} is damaged; restore it from a backup."
            ) from error

    def save(self, home: Path) -> Self:
        """Write atomically, mode 0600."""
        new = home / f".{FILE}.{os.getpid()}"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)
        new.replace(home / FILE)
        return self

    def with_(self, **changes: object) -> Self:
        """A copy with other values."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def url(self) -> str:
        """Address for the application."""
        return f"postgresql://{APPLICATION}:{self.password}@127.0.0.1:{self.port}/{APPLICATION}"

    def superuser_url(self) -> str:
        """Address for administration."""
        return f"postgresql://{SUPERUSER}:{self.superuser_password}@127.0.0.1:{self.port}/postgres"


def running_url(data_dir: Path) -> str | None:
    """Address of the server that another process runs for this data folder, or None."""
    found = Credentials.load(data_dir / "postgres")
    if found is None or found.server_pid is None or found.server_pid < 2:
        return None
    try:
        os.kill(found.server_pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # alive, of another user
    return found.url()
