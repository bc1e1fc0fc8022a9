"""HTTP of host facts and health."""

import asyncio
import platform
import socket
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from backend.database import SessionDep
from backend.system import host
from backend.system.health import readiness
from backend.system.isolation import isolation
from backend.system.schemas import Health, Overview, SystemFacts
from backend.system.sources import Sources
from backend.version import VERSION

router = APIRouter(prefix="/system", tags=["system"])
health_router = APIRouter(tags=["system"])


@router.get("")
async def get_system(request: Request, session: SessionDep) -> SystemFacts:
    """This host, now."""
    state, settings = request.app.state, request.app.state.settings
    sources: Sources = state.sources
    slots = await sources.slots(session)
    gpus, gpu_error = await asyncio.to_thread(state.gpu_facts.now)
    return SystemFacts(
        at=datetime.now(UTC),
        version=VERSION,
        hostname=socket.gethostname(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        database=state.database_name,
        started_at=state.started_at,
        cpu=host.cpu(),
        memory=host.memory(),
        disk=state.disk_use.now(),
        gpus=gpus,
        gpu_error=gpu_error,
        training_slots=slots.total,
        training_slots_used=slots.used,
        supervisor=slots.supervisor,
        unknown_runs=slots.unknown_runs,
        isolation=isolation().reached,
        offline=settings.offline,
        insecure_http=settings.insecure_http,
        # Where folders lie on the server is for administrators; others see what they choose from.
        model_roots=[
            str(root) if sources.sees_paths(request.state.user) else root.name
            for root in settings.model_roots
        ],
    )


@router.get("/overview")
async def get_overview(request: Request, session: SessionDep) -> Overview:
    """How many data sets, models and tasks the signed-in user sees."""
    sources: Sources = request.app.state.sources
    return await sources.overview(session, request.state.user)


@health_router.get("/healthz")
async def healthz() -> Health:
    """The process answers; asks nothing else."""
    return Health(status="ok")


@health_router.get("/readyz", responses={503: {"model": Health}})
async def readyz(request: Request, response: Response) -> Health:
    """Whether work can be done now; 503 with the failing checks otherwise."""
    health = await readiness(request.app)
    if health.status != "ok":
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return health
