"""From a request to a data set in the database: both, or nothing.

`POST /datasets` takes a form with files, or a JSON object. What a JSON object asks for is told by
one of its fields, see `KINDS`.
"""

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from backend import idempotency
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets import examples, service, view
from backend.datasets.hubs import queue as hub_queue
from backend.datasets.hubs.request import HubDatasetCreate
from backend.datasets.schemas import Dataset, Mapping, ReadingOptions
from backend.datasets.service import DatasetForm
from backend.datasets.uploading import allowance, form, quarantine, resumable
from backend.datasets.uploading.resumable import Desk
from backend.datasets.uploading.storing import NewFile
from backend.errors import Refused
from backend.settings import Settings
from backend.storable import wrong_values

B = TypeVar("B", bound=BaseModel)
Kind = Callable[[Request, UserRow, Any, str | None], Awaitable[Dataset]]
Find = Callable[[AsyncSession], Awaitable[Sequence[NewFile]]]
# Fields of the form whose text is JSON.
JSON_FIELDS: dict[str, type[BaseModel]] = {"mapping": Mapping, "options": ReadingOptions}


class UploadExpected(Refused):
    """Send the data files as multipart/form-data in the field “file”, or JSON with “uploads” or
    with “source” and “reference”."""


class DatasetOfUploads(DatasetForm):
    """Finished uploads that become one data set."""

    uploads: Annotated[list[UUID], Field(min_length=1, max_length=form.MAX_FILES)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.uploads)) != len(self.uploads):
            raise ValueError("an upload is named twice")
        return self


async def from_request(request: Request, user: UserRow, key: str | None) -> Dataset:
    """Make what the request asks for; raises `UploadExpected` for what is neither form nor JSON."""
    policy.require(user, Action.CREATE, user.id)
    if form.is_form(request):
        return await from_form(request, user, key)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise UploadExpected
    body = await _json(request)
    for field, act in KINDS.items():
        if field in body:
            return await act(request, user, body, key)
    raise UploadExpected


async def from_form(request: Request, user: UserRow, key: str | None) -> Dataset:
    """Receive the files, then write; no connection to the database is held meanwhile."""
    settings: Settings = request.app.state.settings
    sessions: SessionFactory = request.app.state.sessions
    async with transaction(sessions) as session:
        await allowance.require_room(session, settings, user.id, form.declared_bytes(request))
    async with quarantine.incoming(settings) as path:
        received = await form.receive(request, settings, path)
        asked = _form(received.fields)
        new = [NewFile(f.path, f.filename, f.size_bytes, f.sha256) for f in received.files]
        return await write(sessions, user, settings, new, asked, key)


async def from_uploads(request: Request, user: UserRow, body: Any, key: str | None) -> Dataset:
    """Finished resumable uploads become a data set; they are no uploads any more then."""
    asked = valid(DatasetOfUploads, body)
    desk: Desk = request.app.state.upload_desk
    await resumable.hash_finished(desk, user, asked.uploads)

    async def find(session: AsyncSession) -> list[NewFile]:
        rows = await resumable.consume(session, user, asked.uploads)
        return [
            NewFile(desk.path(row.id), row.filename, row.size_bytes, row.sha256 or "")
            for row in rows
        ]

    rest = DatasetForm.model_validate(asked.model_dump(exclude={"uploads"}))
    fingerprint = f"create_dataset {asked.model_dump_json()}"
    dataset = await _write(desk.sessions, user, desk.settings, find, rest, key, fingerprint)
    for upload_id in asked.uploads:
        desk.digests.forget(upload_id)
        desk.path(upload_id).unlink(missing_ok=True)
    return dataset


async def from_hub(request: Request, user: UserRow, body: Any, key: str | None) -> Dataset:
    """A data set that a job fetches from a hub; a repeated request answers what the first one did.

    Raises `BadHubId`, `BadRevision`, `DatasetHubOffline` before any row is written.
    """
    asked = valid(HubDatasetCreate, body)
    settings: Settings = request.app.state.settings
    choice = hub_queue.required(settings, asked.choice)
    async with transaction(request.app.state.sessions) as session:

        async def act() -> Dataset:
            row = await service.create_from_hub(session, user, settings, choice, asked)
            return await view.view_of(session, row)

        fingerprint = idempotency.fingerprint_of(f"create_dataset {asked.model_dump_json()}")
        return await idempotency.once(session, user.id, key, fingerprint, Dataset, act)


# By the field that tells them apart.
KINDS: dict[str, Kind] = {"uploads": from_uploads, "source": from_hub}


async def from_example(
    sessions: SessionFactory, user: UserRow, settings: Settings, example_id: str, key: str | None
) -> Dataset:
    """Add a copy of one of the examples."""
    policy.require(user, Action.CREATE, user.id)
    example, source = examples.find(example_id)
    asked = DatasetForm(
        name=example.title, description=example.description, mapping=example.mapping
    )
    async with quarantine.incoming(settings) as path:
        file = await asyncio.to_thread(copy, source, path)
        return await write(sessions, user, settings, [file], asked, key)


def copy(source: Path, path: Path) -> NewFile:
    """A file of this machine, copied and hashed."""
    shutil.copyfile(source, path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return NewFile(path, source.name, path.stat().st_size, digest)


async def write(
    sessions: SessionFactory,
    user: UserRow,
    settings: Settings,
    new: Sequence[NewFile],
    asked: DatasetForm,
    key: str | None,
) -> Dataset:
    """Data set, job and files in one step; a repeated request answers what the first one did."""

    async def find(_session: AsyncSession) -> Sequence[NewFile]:
        return new

    names = " ".join(f"{file.sha256} {file.filename}" for file in new)
    fingerprint = f"create_dataset {names} {asked.model_dump_json()}"
    return await _write(sessions, user, settings, find, asked, key, fingerprint)


async def _write(
    sessions: SessionFactory,
    user: UserRow,
    settings: Settings,
    find: Find,
    asked: DatasetForm,
    key: str | None,
    fingerprint: str,
) -> Dataset:
    created = None
    try:
        async with transaction(sessions) as session:

            async def act() -> Dataset:
                nonlocal created
                row = await service.create(session, user, settings, await find(session), asked)
                created = row.id
                return await view.view_of(session, row)

            once = idempotency.fingerprint_of(fingerprint)
            return await idempotency.once(session, user.id, key, once, Dataset, act)
    except BaseException:
        if created is not None:
            await service.discard(settings, created)
        raise


async def _json(request: Request) -> dict[str, Any]:
    """The JSON object that is the body; raises `RequestValidationError`."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        why = {"type": "json_invalid", "loc": ("body", error.pos), "ctx": {"error": error.msg}}
        raise RequestValidationError([{**why, "msg": error.msg}]) from error
    if not isinstance(body, dict):
        wrong = {"type": "dict_type", "loc": ("body",), "msg": "A JSON object is expected."}
        raise RequestValidationError([wrong])
    if errors := wrong_values(body):
        raise RequestValidationError(errors)
    return body


def valid(shape: type[B], body: Any) -> B:
    """`body` in its shape; raises `RequestValidationError`, which is answered with 422."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(errors) from error


def _form(fields: dict[str, str]) -> DatasetForm:
    """The form's texts as values; raises `RequestValidationError`."""
    values: dict[str, Any] = {name: text for name, text in fields.items() if text.strip()}
    for name, shape in JSON_FIELDS.items():
        if name not in values:
            continue
        try:
            values[name] = shape.model_validate_json(values[name])
        except ValidationError as error:
            errors = [{**e, "loc": ("body", name, *e["loc"])} for e in error.errors()]
            raise RequestValidationError(errors) from error
    asked = valid(DatasetForm, values)
    if wrong := wrong_values(asked.model_dump(mode="json")):
        raise RequestValidationError(wrong)
    return asked
