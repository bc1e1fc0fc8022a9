"""Data of a run from files, without a database: what `easytune train` begins with."""

import json
from pathlib import Path

from backend.datasets.versions.names import RECORDS_FILE, REPORT_FILE
from backend.tasks.train_file import DataFile
from training_engine.contract.choices import RECORD_TYPES_OF, Objective
from training_engine.contract.names import RecordType
from training_engine.contract.spec import DatasetReference

SHOWN_ITEMS = 10


class BadInput(Exception):
    """Data or model can not be used; one line per problem, each with the place and the reason."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def import_data(file: DataFile, folder: Path, objective: Objective) -> DatasetReference:
    """Convert a data file into canonical records below `folder`; raises `BadInput`."""
    from backend.datasets.importing.run import import_file  # with the libraries that it needs

    folder.mkdir(parents=True)
    mapping = file.mapping.model_dump(mode="json") if file.mapping else None
    summary = import_file(
        file.path,
        file.path.name,
        folder,
        mapping=mapping,
        max_dropped_rows=file.max_dropped_rows,
    )
    if summary["status"] == "needs_mapping":
        columns = ", ".join(summary["columns"])
        raise BadInput(
            f"{file.path}: the columns ({columns}) do not say what they are.",
            "Add a mapping below dataset: {record_type: …, columns: {prompt: …, completion: …}}",
        )
    if summary["status"] != "ready":
        error = summary["error"]
        lines = _report(file.path, folder)
        raise BadInput(f"{file.path}: {error['message']} {error['hint']}", *lines)
    record_type = RecordType(summary["record_type"])
    wanted = RECORD_TYPES_OF[objective]
    if record_type not in wanted:
        fitting = [each.value for each in Objective if record_type in RECORD_TYPES_OF[each]]
        instead = f"Choose objective {' or '.join(fitting)}, or say" if fitting else "Say"
        raise BadInput(
            f"{file.path}: these are {record_type.value} rows, and {objective.value} needs "
            f"{' or '.join(sorted(wanted))}. {instead} with a mapping how they are meant."
        )
    return DatasetReference(
        name=file.path.stem,
        path=str(folder / RECORDS_FILE),
        sha256=summary["sha256"],
        num_rows=summary["num_rows"],
        record_type=record_type,
    )


def _report(path: Path, folder: Path) -> list[str]:
    """The first rows that were dropped, as places in the file."""
    lines = []
    with (folder / REPORT_FILE).open("rb") as report:
        for line in report:
            item = json.loads(line)
            if item["action"] == "dropped":
                lines.append(f"{path}:{item['line']}: {item['message']}")
            if len(lines) == SHOWN_ITEMS:
                lines.append("…")
                break
    return lines
