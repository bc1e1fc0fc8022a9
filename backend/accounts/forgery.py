"""Cross-site request forgery: a page of another site can not act with the browser's cookie.

Three independent fences: the cookie is SameSite=Strict; unsafe calls with it need a header that
other sites can not send without a preflight; and what the browser says about the caller
(`Origin`, `Sec-Fetch-Site`) must fit.
"""

from starlette.requests import Request

from backend.errors import Forbidden

HEADER = "X-EasyTune"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# The last one is a part of a resumable upload; no page can send it elsewhere without a preflight.
BODY_TYPES = frozenset(
    {"application/json", "multipart/form-data", "application/offset+octet-stream"}
)


class CrossSite(Forbidden):
    """This call came from another site's page, or without the header X-EasyTune: 1."""


def require_own_page(request: Request) -> None:
    """Raise `CrossSite` when an unsafe call says that another site's page made it."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise CrossSite
    origin = request.headers.get("Origin")
    # A browser writes an origin in one way only (RFC 6454 §6.2); taking it apart could only fail.
    own = f"{request.url.scheme}://{request.headers.get('Host', '')}"
    if origin is not None and origin.lower() != own.lower():
        raise CrossSite


def require_header(request: Request) -> None:
    """For unsafe calls that are signed in by cookie: the header, and a body type we expect."""
    if request.method in SAFE_METHODS:
        return
    require_own_page(request)
    if request.headers.get(HEADER) != "1":
        raise CrossSite
    content_type = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if content_type and content_type not in BODY_TYPES:
        raise CrossSite("Send application/json, or multipart/form-data for an upload.")
