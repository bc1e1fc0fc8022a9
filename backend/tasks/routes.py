"""HTTP of tasks, put together: literal paths before those with an id."""

from fastapi import APIRouter

from backend.tasks import (
    draft_routes,
    export_routes,
    history_routes,
    log_routes,
    log_search_routes,
    plan_routes,
    task_routes,
)
from backend.tasks.rendering import routes as rendering_routes

router = APIRouter()
router.include_router(draft_routes.router)
router.include_router(plan_routes.router)
router.include_router(task_routes.router)
router.include_router(log_routes.router)
router.include_router(log_search_routes.router)
router.include_router(history_routes.router)
router.include_router(export_routes.router)
router.include_router(rendering_routes.router)
