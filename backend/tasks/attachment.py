"""A download: never shown inside the page, whatever its content claims to be."""

from urllib.parse import quote

from fastapi.responses import StreamingResponse


class Zip(StreamingResponse):
    """An archive that is made while it is sent."""

    media_type = "application/zip"


class Gzip(StreamingResponse):
    """A compressed file, which stays compressed when it is saved."""

    media_type = "application/gzip"


class Csv(StreamingResponse):
    """A table."""

    media_type = "text/csv"


class Text(StreamingResponse):
    """A text file."""

    media_type = "text/plain"


def headers(filename: str, length: int | None = None) -> dict[str, str]:
    """Headers for a file of that name (RFC 6266); `length` in bytes when it is known."""
    plain = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\%/' else "_" for c in filename
    )
    found = {
        "Content-Disposition": (
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
        ),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return found | ({"Content-Length": str(length)} if length is not None else {})
