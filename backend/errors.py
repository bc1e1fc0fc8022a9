"""Every expected failure is a class: its docstring is the message, its name the API code.

One handler renders them as RFC 9457 `application/problem+json`. Bugs become a 500 with a request
id and nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

Params = Mapping[str, str | int | float | bool | None]
PROBLEM_MEDIA_TYPE = "application/problem+json"
CODE_OF_STATUS = {401: "Unauthenticated", 404: "NotFound", 405: "MethodNotAllowed"}


class FieldError(BaseModel):
    """One wrong field: JSON pointer into the body (`/hyperparameters/epochs`), code, values."""

    pointer: str
    code: str
    message: str
    params: dict[str, str | int | float | bool | None] = {}


class Problem(BaseModel):
    """The body of every error answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    params: dict[str, str | int | float | bool | None] = {}
    errors: list[FieldError] = []
    request_id: str = ""


class AppError(Exception):
    """Something went wrong that the caller can understand."""

    status = 500

    def __init__(
        self,
        detail: str | None = None,
        *,
        params: Params | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.params = dict(params or {})
        self.title = self.sentence().format(**self.params)
        self.detail = detail or self.title
        self.errors = list(errors)
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    @classmethod
    def code(cls) -> str:
        """The machine's name of this failure, also its translation key."""
        return cls.__name__

    @classmethod
    def sentence(cls) -> str:
        """The default message; may name params in braces, which every raiser then gives."""
        return (cls.__doc__ or cls.__name__).strip().split("\n\n")[0].replace("\n    ", " ")


class NotFound(AppError):
    """There is nothing here under this name, or it is not yours."""

    status = 404


class Conflict(AppError):
    """That does not fit the present state."""

    status = 409


class Refused(AppError):
    """That can not be done."""

    status = 400


class Forbidden(AppError):
    """Your role does not allow this."""

    status = 403


class Unauthenticated(AppError):
    """Sign in first."""

    status = 401


class TooLarge(AppError):
    """That is larger than allowed."""

    status = 413


class TooMany(AppError):
    """Too many attempts; wait a moment and try again."""

    status = 429


class Unavailable(AppError):
    """The platform can not answer right now; try again in a moment."""

    status = 503


def request_id_of(request: Request) -> str:
    """The id that the access log and every answer of this request carry."""
    return getattr(request.state, "request_id", "")


def _render(request: Request, problem: Problem, headers: Mapping[str, str]) -> JSONResponse:
    problem.request_id = request_id_of(request)
    return JSONResponse(
        problem.model_dump(), problem.status, headers=dict(headers), media_type=PROBLEM_MEDIA_TYPE
    )


def answer(request: Request, error: AppError) -> JSONResponse:
    """The answer to `error`; for middleware, which stands outside the handlers."""
    problem = Problem(
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code(),
        params=error.params,
        errors=error.errors,
    )
    return _render(request, problem, error.headers)


async def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    return answer(request, error)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = CODE_OF_STATUS.get(error.status_code, "HttpError")
    problem = Problem(
        title=str(error.detail), status=error.status_code, detail=str(error.detail), code=code
    )
    return _render(request, problem, error.headers or {})


def _field_error(item: Mapping[str, Any]) -> FieldError:
    last = item["loc"][-1] if item["loc"] else None
    if item["type"] == "json_invalid" and isinstance(last, int):
        # The whole body: its place is a character, not a field.
        reason = item.get("ctx", {}).get("error", "")
        message = f"This is not valid JSON at character {last + 1}: {reason}"
        return FieldError(pointer="", code="json_invalid", message=message)
    path = [str(p) for p in item["loc"] if p not in {"body", "query", "path", "header"}]
    params = {
        key: value
        for key, value in (item.get("ctx") or {}).items()
        if isinstance(value, str | int | float | bool)
    }
    message = str(item["msg"]).removeprefix("Value error, ")
    return FieldError(
        pointer="/" + "/".join(path), code=str(item["type"]), message=message, params=params
    )


async def _shape_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(item) for item in error.errors()]
    first = errors[0] if errors else None
    where = first.pointer.strip("/") or "body" if first else "body"
    detail = f"{where}: {first.message}" if first else "The request has the wrong shape."
    problem = Problem(
        title="The request has the wrong shape.",
        status=422,
        detail=detail,
        code="InvalidRequest",
        errors=errors,
    )
    return _render(request, problem, {})


def install(app: FastAPI) -> None:
    """Register the handlers; anything else is a bug and is answered by the outermost middleware."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _shape_error)
