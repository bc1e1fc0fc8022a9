"""HTTP of resumable uploads: tus 1.0.0 at `/uploads`."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from backend import pagination
from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, transaction
from backend.datasets.uploading import protocol, resumable
from backend.datasets.uploading.form import BadUpload
from backend.datasets.uploading.quarantine import MB
from backend.datasets.uploading.resumable import Desk
from backend.datasets.uploading.tables import UploadRow
from backend.errors import AppError, Refused
from backend.pagination import Cursor, Limit, Page

TUS_METHODS = frozenset({"POST", "HEAD", "PATCH", "DELETE"})
RESUMABLE = {"Tus-Resumable": protocol.VERSION}
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class TusRoute(APIRoute):
    """Every answer says which version of the protocol it speaks; others are sent away unread."""

    def get_route_handler(self) -> Handler:
        """The handler that FastAPI makes, between these two checks."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                spoken = request.headers.get("Tus-Resumable")
                if request.method in TUS_METHODS and spoken != protocol.VERSION:
                    raise protocol.WrongTusVersion(headers={"Tus-Version": protocol.VERSION})
                answer = await inner(request)
            except AppError as error:
                error.headers = {**RESUMABLE, **error.headers}
                raise
            answer.headers.update(RESUMABLE)
            return answer

        return handle


router = APIRouter(prefix="/uploads", tags=["uploads"], route_class=TusRoute)


class UnknownOverride(Refused):
    """X-HTTP-Method-Override names HEAD, PATCH or DELETE."""


class Upload(BaseModel):
    """A file on its way in, or one that has arrived and is no data set yet."""

    id: UUID
    filename: str
    size_bytes: int
    offset_bytes: int = Field(description="How much is here; go on from there")
    sha256: str | None = Field(description="Of the whole file, once it is here")
    metadata: dict[str, str] = Field(description="What the client said at the beginning")
    created_at: datetime
    expires_at: datetime = Field(description="Removed then, if nothing comes any more")


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.upload_desk
    return desk


def _standing(row: UploadRow) -> dict[str, str]:
    return {
        "Upload-Offset": str(row.offset_bytes),
        "Upload-Expires": protocol.http_date(resumable.expires_at(row)),
        "Cache-Control": "no-store",
    }


@router.options("", status_code=204)
def describe_uploads(request: Request, _user: CurrentUser) -> Response:
    """What this server can: version, extensions, largest file, checksum algorithms."""
    return Response(
        status_code=204,
        headers={
            "Tus-Version": protocol.VERSION,
            "Tus-Extension": protocol.EXTENSIONS,
            "Tus-Max-Size": str(_desk(request).settings.max_upload_mb * MB),
            "Tus-Checksum-Algorithm": ",".join(protocol.HASHES),
        },
    )


@router.get("")
async def list_uploads(
    session: SessionDep, user: CurrentUser, limit: Limit = 50, cursor: Cursor = None
) -> Page[Upload]:
    """The user's own uploads that are not yet a data set, newest first."""
    kept, last = pagination.cut(await resumable.page(session, user, limit, cursor), limit)
    items = [
        Upload(
            id=row.id,
            filename=row.filename,
            size_bytes=row.size_bytes,
            offset_bytes=row.offset_bytes,
            sha256=row.sha256,
            metadata=protocol.metadata_of(row.client_metadata),
            created_at=row.created_at,
            expires_at=resumable.expires_at(row),
        )
        for row in kept
    ]
    return Page(items=items, next_cursor=str(last.id) if last else None)


@router.post("", status_code=201)
async def begin_upload(request: Request, user: CurrentUser) -> Response:
    """Announce a file: Upload-Length, and Upload-Metadata with filename and, where known, the
    sha256 of the whole. `Location` says where its parts go."""
    asked = protocol.creation_of(request.headers)
    row = await resumable.begin(_desk(request), user, asked)
    location = f"{request.url.path.rstrip('/')}/{row.id}"
    return Response(status_code=201, headers={**_standing(row), "Location": location})


@router.head("/{upload_id}")
async def look_at_upload(request: Request, user: CurrentUser, upload_id: UUID) -> Response:
    """How much of the file is on the disk."""
    async with transaction(_desk(request).sessions) as session:
        row = await resumable.find(session, user, upload_id)
    headers = {**_standing(row), "Upload-Length": str(row.size_bytes)}
    if row.client_metadata:
        headers["Upload-Metadata"] = row.client_metadata
    return Response(headers=headers)


@router.patch("/{upload_id}", status_code=204)
async def continue_upload(request: Request, user: CurrentUser, upload_id: UUID) -> Response:
    """Send a part: Upload-Offset, and where wanted Upload-Checksum, as
    application/offset+octet-stream. One connection at a time."""
    part = protocol.part_of(request.headers)
    row = await resumable.go_on(_desk(request), user, upload_id, part, _body(request))
    return Response(status_code=204, headers=_standing(row))


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The body; a connection that breaks is the client's trouble, not ours."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise BadUpload(params={"reason": "it ended in the middle"}) from error


@router.delete("/{upload_id}", status_code=204)
async def cancel_upload(request: Request, user: CurrentUser, upload_id: UUID) -> Response:
    """Take an upload back; what came of it is removed."""
    await resumable.take_back(_desk(request), user, upload_id)
    return Response(status_code=204)


@router.post("/{upload_id}", status_code=204)
async def use_upload(
    request: Request,
    user: CurrentUser,
    upload_id: UUID,
    override: Annotated[str, Header(alias="X-HTTP-Method-Override", max_length=20)] = "",
) -> Response:
    """For clients whose network lets only GET and POST through: the method is in
    X-HTTP-Method-Override."""
    methods = {"HEAD": look_at_upload, "PATCH": continue_upload, "DELETE": cancel_upload}
    act = methods.get(override.upper())
    if act is None:
        raise UnknownOverride
    return await act(request, user, upload_id)
