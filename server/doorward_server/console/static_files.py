"""The files that pages link to. Names come from the folder itself, so no path from outside is ever opened."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from doorward_server.problems import not_found
from doorward_server.security.dependencies import public

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def static_router(folder: Path) -> APIRouter:
    """A router that answers /static/NAME for every file in the folder."""
    files = {file.name: file for file in folder.iterdir() if file.suffix in _TYPES}
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}", dependencies=[public()])
    def static_file(name: str) -> Response:
        if name not in files:
            raise not_found("文件", "file")
        return FileResponse(
            files[name], media_type=_TYPES[files[name].suffix], headers={"cache-control": "no-cache"}
        )

    return router
