"""HTTP of data sets, put together."""

from fastapi import APIRouter

from backend.datasets import (
    content_routes,
    hygiene_routes,
    prepare_routes,
    routes,
    version_routes,
)
from backend.datasets.exporting import routes as export_routes
from backend.datasets.uploading import routes as upload_routes

router = APIRouter()
router.include_router(routes.router)
router.include_router(content_routes.router)
router.include_router(version_routes.router)
router.include_router(hygiene_routes.router)
router.include_router(upload_routes.router)
router.include_router(prepare_routes.router)
router.include_router(export_routes.router)
