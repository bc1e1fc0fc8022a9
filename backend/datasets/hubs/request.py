"""From a request that names a data set of a hub to a data set in the database."""

from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header

from backend import idempotency
from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.database import transaction
from backend.datasets import service, view
from backend.datasets.hubs import queue
from backend.datasets.hubs.queue import HubChoice
from backend.datasets.hubs.schemas import HubSource, Revision, ShortText
from backend.datasets.schemas import Dataset
from backend.datasets.service import DatasetForm
from backend.errors import TooLarge
from backend.settings import Settings
from backend.storable import wrong_values

MB = 1_000_000
MAX_BODY_BYTES = MB


class DescriptionTooLarge(TooLarge):
    """This request is larger than the {megabytes} MB that are allowed here."""


class HubDatasetCreate(DatasetForm):
    """Fetch a data set from a hub; without subset or split a single one is taken."""

    source: HubSource
    reference: ShortText
    subset: ShortText | None = None
    split: ShortText | None = None
    revision: Revision | None = None

    @property
    def choice(self) -> HubChoice:
        """Which data set of which hub."""
        return HubChoice(self.source, self.reference, self.subset, self.split, self.revision)


# The body's description; `Mapping` and the record types stand in the API's components already.
HUB_BODY: dict[str, Any] = {
    name: value
    for name, value in HubDatasetCreate.model_json_schema(
        ref_template="#/components/schemas/{model}"
    ).items()
    if name != "$defs"
}


async def from_hub(request: Request, user: UserRow, body: Any, key: str | None) -> Dataset:
    """Write data set and job; a repeated request answers what the first one did."""
    policy.require(user, Action.CREATE, user.id)
    settings: Settings = request.app.state.settings
    form = _form(body)
    # What is wrong with the id is said before any row is written.
    choice = queue.required(settings, form.choice)
    async with transaction(request.app.state.sessions) as session:

        async def act() -> Dataset:
            row = await service.create_from_hub(session, user, settings, choice, form)
            return await view.view_of(session, row)

        fingerprint = idempotency.fingerprint_of(f"create_dataset {form.model_dump_json()}")
        return await idempotency.once(session, user.id, key, fingerprint, Dataset, act)


def is_json(request: Request) -> bool:
    """Whether the body says that it is JSON."""
    kind, _ = parse_options_header(request.headers.get("content-type", ""))
    return kind == b"application/json"


async def json_body(request: Request) -> Any:
    """The body, read up to a limit; raises `RequestValidationError`, `DescriptionTooLarge`."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            raise DescriptionTooLarge(params={"megabytes": MAX_BODY_BYTES // MB})
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error"}
        raise RequestValidationError([{**wrong, "ctx": {"error": error.msg}}]) from error


def _form(body: Any) -> HubDatasetCreate:
    try:
        form = HubDatasetCreate.model_validate(body)
    except ValidationError as error:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(errors) from error
    if wrong := wrong_values(form.model_dump(mode="json")):
        raise RequestValidationError(wrong)
    return form
