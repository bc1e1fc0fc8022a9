"""Parquet: one row per record, turns as a list of structures, typed labels."""

from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.exporting.forms import NoPlace
from training_engine.contract.names import RecordType

Fields = dict[str, Any]
TURN = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.large_string()),
        ("tool_calls", pa.large_string()),  # JSON: calls have no common structure
        ("name", pa.string()),
        ("tool_call_id", pa.string()),
        ("train", pa.bool_()),
    ]
)
_TURNS = ("messages", "chosen", "rejected")
_KINDS: dict[str, pa.DataType] = {
    "text": pa.large_string(),
    "true or false": pa.bool_(),
    "whole number": pa.int64(),
    "number": pa.float64(),
    "list of texts": pa.list_(pa.large_string()),
    "list of numbers": pa.list_(pa.float64()),
    "empty list": pa.list_(pa.large_string()),
}
GROUP_BYTES, GROUP_ROWS = 8 * 1024 * 1024, 10_000


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes) -> int: ...


class Labels:
    """Finds out of which one kind all labels are, as a column of a Parquet file has one type."""

    def __init__(self) -> None:
        self.kind: str | None = None

    def look(self, record: Fields) -> None:
        """Raise `NoPlace` for a label of another kind than those before it."""
        if record.get("label") is None:
            return
        kind = _kind(record["label"])
        lists = {"empty list", "list of texts", "list of numbers"}
        if self.kind is None or (self.kind == "empty list" and kind in lists):
            self.kind = kind
        elif kind != self.kind and not (kind == "empty list" and self.kind in lists):
            raise NoPlace(
                "other_label",
                f"a label is a {kind} where those before it are each a {self.kind}",
                kind=kind,
                before=self.kind,
            )


def _kind(label: Any) -> str:
    match label:
        case bool():
            return "true or false"
        case int():
            if not -(2**63) <= label < 2**63:
                raise NoPlace("large_label", "a label is a number that is too large for a column")
            return "whole number"
        case float():
            return "number"
        case str():
            return "text"
        case []:
            return "empty list"
        case _:
            return "list of texts" if isinstance(label[0], str) else "list of numbers"


class NestedWriter:
    """Writes records with what is stored beside them."""

    def __init__(self, sink: Sink, record_type: RecordType, label_kind: str | None) -> None:
        fields = [pa.field(name, pa.list_(TURN)) for name in _TURNS if _has(name, record_type)]
        if fields:
            fields.append(pa.field("tools", pa.large_string()))
        else:
            fields.append(pa.field("text", pa.large_string()))
        if label_kind is not None:
            fields.append(pa.field("label", _KINDS[label_kind]))
        beside = [("line", pa.int64()), ("extra", pa.large_string()), ("split", pa.string())]
        self._schema = pa.schema([*fields, *(pa.field(*each) for each in beside)])
        self._sink = pa.PythonFile(sink, mode="w")
        self._file = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._rows: list[Fields] = []
        self._bytes = 0

    def add(self, record: Fields, line: int | None, extra: bytes | None, split: str | None) -> None:
        """Append a row."""
        row = {**record, "line": line, "split": split}
        row["extra"] = extra.decode() if extra is not None else None
        for name in _TURNS:
            if name in row:
                row[name] = [_turn(message) for message in row[name]]
        if row.get("tools"):
            row["tools"] = orjson.dumps(row["tools"]).decode()
        self._rows.append(row)

    def flush(self, size_bytes: int) -> None:
        """More rows of about that size were added: write a group when there are enough."""
        self._bytes += size_bytes
        if self._bytes >= GROUP_BYTES or len(self._rows) >= GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Write what is left."""
        self._write()
        self._file.close()


def _has(name: str, record_type: RecordType) -> bool:
    if record_type in (RecordType.LANGUAGE_MODELING, RecordType.CLASSIFICATION):
        return False
    return name == "messages" or record_type == RecordType.PREFERENCE


def _turn(message: Fields) -> Fields:
    if "tool_calls" in message:
        return {**message, "tool_calls": orjson.dumps(message["tool_calls"]).decode()}
    return message
