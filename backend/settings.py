"""All settings of the platform, read in one place.

Environment variables with the prefix EASYTUNE_, or a `.env` file; a secret may come from a file
named by the same variable with `_FILE`. Unknown names with the prefix are errors, and all errors
are reported at once.
"""

import ipaddress
import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "EASYTUNE_"
PROJECT_ROOT = Path(__file__).resolve().parent.parent
# Read by the set-up before there is an application; known here so that they are not "unknown".
SETUP_ONLY = frozenset({"EASYTUNE_TORCH_INDEX", "EASYTUNE_CHROMIUM", "EASYTUNE_TEST_DATABASE_URL"})
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class BadSettings(Exception):
    """The configuration has errors; one line each."""


def _split(value: Any) -> Any:
    """A comma separated list from the environment."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_split)]
WEEK_S = 604_800
Seconds = Annotated[float, Field(gt=0, le=WEEK_S, allow_inf_nan=False)]
SecondsList = Annotated[list[Seconds], NoDecode, BeforeValidator(_split)]
PathList = Annotated[list[Path], NoDecode, BeforeValidator(_split)]


def _default_data_dir() -> Path:
    checkout = (PROJECT_ROOT / "pyproject.toml").exists()
    return PROJECT_ROOT / "data" if checkout else Path.home() / ".local/share/easytune"


class Settings(BaseSettings):
    """See `.env.example` for a sentence about each."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=False)

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    data_dir: Path = Field(
        default_factory=_default_data_dir, description="Where everything is kept"
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL server to use; unset starts an embedded one"
    )
    model_roots: PathList = Field(
        default_factory=list, description="Folders whose models may be added, comma separated"
    )
    allowed_hosts: CommaList = Field(
        default_factory=list, description="Host names that may be asked for, beside loopback"
    )
    trusted_proxies: CommaList = Field(
        default_factory=list,
        description="Addresses or networks of proxies whose X-Forwarded-* headers are believed",
    )
    insecure_http: bool = Field(
        False, description="Allow sign-in over plain HTTP from other machines (shown in a banner)"
    )
    offline: bool = Field(False, description="Never contact a model hub")
    hf_endpoint: str = Field(
        default_factory=lambda: os.environ.get("HF_ENDPOINT", "https://huggingface.co"),
        description="Hugging Face hub, or a mirror of it",
    )
    ms_endpoint: str = Field(
        "https://www.modelscope.cn", description="ModelScope hub, or a mirror of it"
    )
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    training_slots: int | None = Field(
        None, ge=1, le=64, description="Runs at the same time; unset: one per GPU, one on a CPU"
    )
    launch_timeout_s: Seconds = Field(
        60, description="A started engine must have said who it is by then, in seconds"
    )
    stall_preparing_s: Seconds = Field(
        1800, description="Silence before the first step that is worth a warning, in seconds"
    )
    stall_step_s: Seconds = Field(
        600, description="The same between steps, or 20 times the usual pause if that is more"
    )
    stall_saving_s: Seconds = Field(900, description="The same while a checkpoint is written")
    save_timeout_s: Seconds = Field(
        120, description="A run that is asked to stop may save for so long, in seconds"
    )
    terminate_timeout_s: Seconds = Field(
        30, description="Then, after SIGTERM, it may live for so long"
    )
    retry_after_s: SecondsList = Field(
        default_factory=lambda: [30.0, 120.0, 600.0],
        min_length=1,
        description="Waits before the first automatic retry, the second, and all after, in seconds",
    )
    max_upload_mb: int = Field(
        1024, ge=1, le=1_000_000, description="Largest data file, in megabytes"
    )
    user_quota_mb: int = Field(
        100_000,
        ge=1,
        le=1_000_000_000,
        description="How much data one user may keep, unfinished uploads included, in megabytes",
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs access tokens (≥ 32 characters); unset: generated and kept"
    )

    @model_validator(mode="after")
    def _check(self) -> "Settings":
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("secret_key must have at least 32 characters")
        if self.database_url is not None:
            scheme = urlsplit(self.database_url.get_secret_value()).scheme
            if scheme.split("+")[0] not in {"postgresql", "postgres"}:
                raise ValueError("database_url must begin with postgresql://")
        for proxy in self.trusted_proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError as error:
                raise ValueError(f"trusted_proxies: {proxy} is no address or network") from error
        self.data_dir = self.data_dir.expanduser().resolve()
        self.model_roots = [root.expanduser().resolve() for root in self.model_roots]
        return self

    @cached_property
    def datasets_dir(self) -> Path:
        """Uploads and canonical records, one folder per data set."""
        return self.data_dir / "datasets"

    @cached_property
    def models_dir(self) -> Path:
        """Base models that the platform fetched or converted."""
        return self.data_dir / "models"

    @cached_property
    def runs_dir(self) -> Path:
        """Run folders, one per attempt of a job."""
        return self.data_dir / "runs"

    @cached_property
    def sockets_dir(self) -> Path:
        """Unix sockets of workers; short, because a socket's path may have 107 bytes at most."""
        return self.data_dir / "sockets"


def _from_files() -> dict[str, str]:
    """Values of `EASYTUNE_X_FILE`: the content of the file named."""
    found: dict[str, str] = {}
    for variable, path in os.environ.items():
        if variable.startswith(PREFIX) and variable.endswith("_FILE"):
            try:
                name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
                found[name] = Path(path).read_text().strip()
            except OSError as error:
                raise BadSettings(f"{variable}: {path}: {error.strerror}") from error
    return found


def _unknown() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | SETUP_ONLY
    return sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in known
    )


def load(env_file: Path | None = None, **overrides: Any) -> Settings:
    """The settings of this process; raises `BadSettings` naming every error."""
    errors = [f"{name}: there is no such setting" for name in _unknown()]
    file = env_file or PROJECT_ROOT / ".env"
    try:
        values = {**_from_files(), **overrides}
        settings = Settings(_env_file=file if file.is_file() else None, **values)
    except ValidationError as invalid:
        for item in invalid.errors():
            name = PREFIX + "_".join(str(p) for p in item["loc"]).upper()
            errors.append(f"{name}: {item['msg'].removeprefix('Value error, ')}")
        raise BadSettings("\n".join(errors)) from invalid
    if errors:
        raise BadSettings("\n".join(errors))
    return settings
