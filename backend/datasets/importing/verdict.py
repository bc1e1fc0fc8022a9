"""Whether a version may be used."""

from typing import Any


def verdict(dropped: int, max_dropped_rows: int) -> dict[str, Any]:
    """Ready, or blocked because more rows were dropped than the user allowed."""
    if dropped <= max_dropped_rows:
        return {"status": "ready", "error": None}
    rows = "1 row" if dropped == 1 else f"{dropped} rows"
    return {
        "status": "blocked",
        "error": {
            "code": "too_many_dropped_rows",
            "message": f"{rows} can not be used; {max_dropped_rows} may be left out.",
            "hint": "Correct the rows that the report names and upload the file again, "
            "or allow this many rows to be left out.",
            "params": {"dropped": dropped, "max_dropped_rows": max_dropped_rows},
        },
    }
