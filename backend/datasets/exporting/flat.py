"""Tables: one row per record, texts in columns. CSV that spreadsheets open without running it."""

import csv
import io
from typing import Any

from backend.datasets.exporting.forms import NoPlace, pairs_of
from training_engine.contract.names import RecordType

Fields = dict[str, Any]
# Spreadsheets take a cell that begins so for a formula; an apostrophe in front makes it text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Spreadsheets take a file without it for one in the encoding of the country.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def flat(record: Fields, record_type: RecordType) -> Fields:
    """The columns of a record; raises `NoPlace` for what is more than a question and an answer."""
    match record_type:
        case RecordType.LANGUAGE_MODELING:
            return {"text": record["text"]}
        case RecordType.CLASSIFICATION:
            return {"text": record["text"], "label": _label(record["label"])}
        case RecordType.STEPWISE_SUPERVISION:
            raise NoPlace("verdicts_of_steps", "verdicts about single steps have no place here")
    if record.get("tools"):
        raise NoPlace("tools", "tools have no place here")
    messages = record["messages"]
    row: Fields = {}
    if messages[0]["role"] == "system":
        row["system"], messages = messages[0]["content"], messages[1:]
    if record_type == RecordType.PREFERENCE:
        answers = {name: _paired(messages, record[name]) for name in ("chosen", "rejected")}
        (question, chosen), (_, rejected) = answers["chosen"], answers["rejected"]
        return {"prompt": question, "chosen": chosen, "rejected": rejected, **row}
    question, answer = _paired(messages, [])
    row = {"prompt": question, "completion": answer, **row}
    if record_type == RecordType.UNPAIRED_PREFERENCE:
        row["label"] = _label(record["label"])
    return row


def _paired(messages: list[Fields], answer: list[Fields]) -> tuple[str, str]:
    pairs = pairs_of([*messages, *answer])
    if len(pairs) != 1:
        raise NoPlace("one_exchange", "a row has one question and one answer here")
    return pairs[0]


def _label(label: Any) -> Any:
    if isinstance(label, list):
        raise NoPlace("several_labels", "several labels have no place in a cell")
    return ("true" if label else "false") if isinstance(label, bool) else label


class Table:
    """Writes rows as CSV; all of them have some of `columns`."""

    def __init__(self, columns: list[str]) -> None:
        self._columns = columns

    def head(self) -> bytes:
        """The line with the names of the columns."""
        return BYTE_ORDER_MARK + self._lines([self._columns])

    def rows(self, rows: list[Fields]) -> bytes:
        """These rows as lines."""
        return self._lines([[_cell(row.get(name)) for name in self._columns] for row in rows])

    @staticmethod
    def _lines(rows: list[list[Any]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value
