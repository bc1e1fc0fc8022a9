"""What is stored of a version, read with a library that the product does not write it with."""

from pathlib import Path
from typing import Any

import orjson
import polars as pl


def lines_of(folder: Path) -> list[bytes]:
    """The canonical records as JSON."""
    rows = pl.read_parquet(folder / "records.parquet", use_pyarrow=False).to_dicts()
    return [orjson.dumps(_whole(row)) + b"\n" for row in rows]


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    meta = {} if row["line"] is None else {"line": row["line"]}
    if row["extra"] is not None:
        meta["extra"] = orjson.loads(row["extra"])
    return {**orjson.loads(row["record"]), "meta": meta}


def records_of(folder: Path) -> list[dict[str, Any]]:
    """The canonical records."""
    return [orjson.loads(line) for line in lines_of(folder)]
