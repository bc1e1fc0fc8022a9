"""Data of a run from files, without a database: what `easytune train` begins with."""

import hashlib
import json
from pathlib import Path

from backend.datasets.versions.names import FORMER_RECORDS_FILE, RECORDS_FILE, REPORT_FILE
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
    if file.record_type is not None:
        return _exported(file, file.record_type, folder, objective)
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
    _require_type(file, record_type, objective)
    _require_rows(file, summary["sha256"])
    return DatasetReference(
        name=file.path.stem,
        path=str(folder / RECORDS_FILE),
        sha256=summary["sha256"],
        num_rows=summary["num_rows"],
        record_type=record_type,
    )


def _exported(
    file: DataFile, record_type: RecordType, folder: Path, objective: Objective
) -> DatasetReference:
    """A version as it was exported: its lines are the records, copied so that they stay."""
    _require_type(file, record_type, objective)
    folder.mkdir(parents=True)
    copy = folder / FORMER_RECORDS_FILE
    digest, num_rows = hashlib.sha256(), 0
    with file.path.open("rb") as lines, copy.open("wb") as out:
        for line in lines:
            if line.strip() and not line.lstrip().startswith(b"{"):
                raise BadInput(
                    f"{file.path}: this is no export of a version, which has a JSON object on "
                    "each line. Export it as EasyTune JSONL, or leave “record_type” out."
                )
            digest.update(line)
            num_rows += bool(line.strip())
            out.write(line)
    _require_rows(file, digest.hexdigest())
    if not num_rows:
        raise BadInput(f"{file.path}: there is no row in this file.")
    return DatasetReference(
        name=file.path.stem,
        path=str(copy),
        sha256=digest.hexdigest(),
        num_rows=num_rows,
        record_type=record_type,
    )


def _require_type(file: DataFile, record_type: RecordType, objective: Objective) -> None:
    wanted = RECORD_TYPES_OF[objective]
    if record_type in wanted:
        return
    fitting = [each.value for each in Objective if record_type in RECORD_TYPES_OF[each]]
    instead = f"Choose objective {' or '.join(fitting)}, or say" if fitting else "Say"
    raise BadInput(
        f"{file.path}: these are {record_type.value} rows, and {objective.value} needs "
        f"{' or '.join(sorted(wanted))}. {instead} with a mapping how they are meant."
    )


def _require_rows(file: DataFile, sha256: str) -> None:
    """Raise `BadInput` for other rows than those that the run file names."""
    if file.sha256 in (None, sha256):
        return
    version = f"version {file.version}" if file.version else "the version"
    part = f" (part {file.split})" if file.split else ""
    raise BadInput(
        f"{file.path}: these are not the rows of {version}{part}: their sha256 is {sha256}, and "
        f"the run file says {file.sha256}. Bring that file back, or remove “sha256” to train on "
        "these rows."
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
