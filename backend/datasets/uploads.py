"""From a request with a file to a data set in the database: both, or nothing."""

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from backend import idempotency
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets import examples, service, upload, view
from backend.datasets.schemas import Dataset, Mapping
from backend.datasets.service import DatasetForm, NewFile
from backend.settings import Settings
from backend.storable import wrong_values


async def from_request(request: Request, user: UserRow, key: str | None) -> Dataset:
    """Receive the file, then write; no connection to the database is held meanwhile."""
    policy.require(user, Action.CREATE, user.id)
    settings: Settings = request.app.state.settings
    async with upload.incoming(settings) as path:
        received = await upload.receive(request, settings, path)
        form = _form(received.fields)
        file = NewFile(path, received.filename, received.size_bytes, received.sha256)
        return await write(request.app.state.sessions, user, settings, file, form, key)


async def from_example(
    sessions: SessionFactory, user: UserRow, settings: Settings, example_id: str, key: str | None
) -> Dataset:
    """Add a copy of one of the examples."""
    policy.require(user, Action.CREATE, user.id)
    example, source = examples.find(example_id)
    form = DatasetForm(name=example.title, description=example.description, mapping=example.mapping)
    async with upload.incoming(settings) as path:
        file = await asyncio.to_thread(copy, source, path)
        return await write(sessions, user, settings, file, form, key)


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
    file: NewFile,
    form: DatasetForm,
    key: str | None,
) -> Dataset:
    """Data set, job and file in one step; a repeated request answers what the first one did."""
    created = None
    try:
        async with transaction(sessions) as session:

            async def act() -> Dataset:
                nonlocal created
                row = await service.create(session, user, settings, file, form)
                created = row.id
                return await view.view_of(session, row)

            asked = f"create_dataset {file.sha256} {file.filename} {form.model_dump_json()}"
            fingerprint = idempotency.fingerprint_of(asked)
            return await idempotency.once(session, user.id, key, fingerprint, Dataset, act)
    except BaseException:
        if created is not None:
            await service.discard(settings, created)
        raise


def _form(fields: dict[str, str]) -> DatasetForm:
    """The form's texts as values; raises `RequestValidationError`, which is answered with 422."""
    values: dict[str, Any] = {name: text for name, text in fields.items() if text.strip()}
    try:
        if "mapping" in values:
            values["mapping"] = Mapping.model_validate_json(values["mapping"])
        form = DatasetForm.model_validate(values)
    except ValidationError as error:
        inside = ("mapping",) if error.title == "Mapping" else ()
        errors = [{**e, "loc": ("body", *inside, *e["loc"])} for e in error.errors()]
        raise RequestValidationError(errors) from error
    if wrong := wrong_values(form.model_dump(mode="json")):
        raise RequestValidationError(wrong)
    return form
