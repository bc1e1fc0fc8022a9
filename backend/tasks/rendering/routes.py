"""HTTP of what a model sees of a data set."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from backend.accounts.dependencies import CurrentUser
from backend.database import transaction
from backend.tasks.rendering import service, sources
from backend.tasks.rendering.schemas import TokenLengths, TokenRows
from backend.tasks.rendering.sources import Source, Wish
from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters

router = APIRouter(prefix="/datasets", tags=["datasets"])
DEFAULTS = Hyperparameters()

Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="Default: the newest")]
Template = Annotated[
    str | None,
    Query(min_length=1, max_length=20_000, description="Chat template in place of the model's own"),
]
Purpose = Annotated[
    Objective | None, Query(description="Default: the first that rows and model fit")
]


async def _source(request: Request, user: CurrentUser, dataset_id: UUID, wish: Wish) -> Source:
    """The transaction ends before files are read and processes asked."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        return await sources.find(session, user, state.settings, dataset_id, wish)


@router.get("/{dataset_id}/tokens")
async def get_dataset_tokens(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    model_id: UUID,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=50, description="Rows at most")] = 10,
    version: Version = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    split: Annotated[str | None, Query(max_length=64)] = None,
    objective: Purpose = None,
    max_length: Annotated[int, Query(ge=16, le=1_048_576)] = DEFAULTS.max_length,
    max_target_length: Annotated[int, Query(ge=2, le=1_048_576)] = DEFAULTS.max_target_length,
    max_shown: Annotated[
        int, Query(ge=1, le=service.MOST_TOKENS, description="Tokens listed of a row at most")
    ] = 5000,
    chat_template: Template = None,
) -> TokenRows:
    """Rows as the tokens that a run would train on, with those that are learnt marked."""
    wish = Wish(
        model_id=model_id, version=version, objective=objective, chat_template=chat_template
    )
    source = await _source(request, user, dataset_id, wish)
    state = request.app.state
    window = service.Window(offset, limit, q, split, max_length, max_target_length, max_shown)
    return await service.token_rows(state.token_desk, state.reading_desk, source, window)


@router.get("/{dataset_id}/lengths")
async def get_dataset_lengths(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    model_id: UUID,
    version: Version = None,
    objective: Purpose = None,
    chat_template: Template = None,
) -> TokenLengths:
    """Rows by their length in tokens of a model. Counted once, in the background: ask again while
    `status` is `counting`."""
    wish = Wish(
        model_id=model_id, version=version, objective=objective, chat_template=chat_template
    )
    source = await _source(request, user, dataset_id, wish)
    state = request.app.state
    return await service.token_lengths(state.length_counts, state.reading_desk, source)
