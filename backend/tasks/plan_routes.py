"""HTTP of what the wizard asks before there is a task."""

from uuid import UUID

from fastapi import APIRouter, Request

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, transaction
from backend.tasks import compatibility, estimates, leakage, memory_risk, plans
from backend.tasks.host_facts import facts_of
from backend.tasks.plan_schemas import (
    Compatibility,
    Estimate,
    Finding,
    Recommendation,
    RecommendRequest,
    TaskPlan,
)
from training_engine.contract.choices import Objective

router = APIRouter(tags=["tasks"])


@router.post("/tasks/estimate")
async def estimate_task(request: Request, user: CurrentUser, body: TaskPlan) -> Estimate:
    """Memory, time, disk and steps of a plan on this host, and what to beware of."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        found = await plans.find(session, user, body)
        facts = await facts_of(request.app, session)
        errors = [
            *plans.errors_of(found),
            *facts.device_errors(body.device),
            *facts.process_errors(body.device, body.distributed.processes),
        ]
        plan = plans.sound(found, errors)
        basis = await estimates.basis_of(session, facts, plan)
    expected = estimates.estimate(basis)
    expected.warnings += await leakage.remarks(state.reading_desk, state.settings, plan)
    if expected.fit == "will_not_fit":
        expected.smaller_settings = memory_risk.refusal(basis).errors
    return expected


@router.post("/tasks/recommend")
async def recommend_task(
    request: Request, session: SessionDep, user: CurrentUser, body: RecommendRequest
) -> Recommendation:
    """Values that suit the model, the data and how much is to be learnt, with reasons."""
    asked = TaskPlan(
        objective=body.objective,
        model_id=body.model_id,
        dataset_id=body.dataset_id,
        dataset_version=body.dataset_version,
        dataset_split=body.dataset_split,
        validation_dataset_id=body.validation_dataset_id,
        validation_version=body.validation_version,
        validation_split=body.validation_split,
    )
    found = await plans.find(session, user, asked)
    # Values do not depend on how a conversation is written; a template may still be given.
    errors = [e for e in plans.errors_of_sources(found) if e.code != plans.NO_TEMPLATE]
    plan = plans.sound(found, errors)
    return await estimates.recommend(await facts_of(request.app, session), plan, body)


@router.get("/tasks/compatibility")
async def check_compatibility(
    session: SessionDep,
    user: CurrentUser,
    model_id: UUID,
    dataset_id: UUID,
    objective: Objective = Objective.SFT,
) -> Compatibility:
    """Whether data set and model fit the objective; every misfit is a sentence."""
    asked = TaskPlan(objective=objective, model_id=model_id, dataset_id=dataset_id)
    found = await plans.find(session, user, asked)
    errors = plans.errors_of_sources(found)
    problems = [
        Finding(code=e.code, message=e.message, params=e.params, blocking=True) for e in errors
    ]
    return Compatibility(ok=not errors, problems=[*problems, *compatibility.remarks(found.dataset)])
