"""API shapes of where a data set comes from."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Revision = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]


class HubSource(StrEnum):
    """The hubs that data sets are fetched from."""

    HUGGINGFACE = "huggingface"
    MODELSCOPE = "modelscope"


class HubSubset(BaseModel):
    """A subset that is offered, with its splits."""

    name: str
    splits: list[str]


class DatasetSource(BaseModel):
    """Where a data set was fetched from; what is not known yet is null."""

    model_config = ConfigDict(extra="ignore")

    kind: HubSource
    reference: str
    subset: str | None = None
    split: str | None = None
    revision: str | None = Field(None, description="Branch, tag or commit that was asked for")
    commit: str | None = Field(None, description="What the files were taken from")
    num_files: int = 0
    converted: bool = Field(False, description="From the Parquet files that the hub made of it")
    partial: bool = Field(False, description="The hub converted only the beginning")
    left_out: list[str] = Field([], description="Data files of another kind (the first ones)")
    choices: list[HubSubset] = Field([], description="What can be chosen, when that is needed")


def source_of(stored: dict[str, Any] | None) -> DatasetSource | None:
    """What the database keeps, as the API shows it."""
    if stored is None:
        return None
    return DatasetSource.model_validate({**stored, "num_files": len(stored.get("files") or [])})
