"""Data and model of a run from files, without a database: what `easytune train` begins with."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from backend.datasets.canonical import RECORDS_FILE, REPORT_FILE
from backend.datasets.importing import import_file
from backend.ids import new_id
from backend.jobs.run_folder import RunFolder
from backend.models.folder import UnusableFolder, read_facts, require_usable
from backend.models.known_models import STARTER_NAME
from backend.settings import Settings
from backend.tasks.foreground import ForegroundRun
from backend.tasks.train_file import STARTER, DataFile
from training_engine.contract.choices import RECORD_TYPES_OF, Objective
from training_engine.contract.events import Event, Progress
from training_engine.contract.names import MANIFEST_FILE, ExitCode, RecordType
from training_engine.contract.spec import DatasetReference, ModelReference

CONVERT_MODULE = "training_engine.export.convert_starter"
SHOWN_ITEMS = 10

Say = Callable[[str], None]


class BadInput(Exception):
    """Data or model can not be used; one line per problem, each with the place and the reason."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


def import_data(file: DataFile, folder: Path, objective: Objective) -> DatasetReference:
    """Convert a data file into canonical records below `folder`; raises `BadInput`."""
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
        raise BadInput(
            f"{file.path}: these are {record_type.value} rows, and {objective.value} needs "
            f"{' or '.join(sorted(wanted))}. Say with a mapping how they are meant."
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


def find_model(name: str, base: Path, settings: Settings, say: Say) -> ModelReference:
    """The model that a run file names; converts the starter model the first time.

    `base` is the folder of the run file. Raises `BadInput`.
    """
    if name == STARTER:
        return ModelReference(name=STARTER_NAME, path=str(_starter(settings, say)))
    folder = (base / Path(name).expanduser()).resolve()
    if folder.is_dir():
        return _checked(folder.name, folder, folder, None)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise BadInput(f"model: there is no folder {folder}. Name a folder, a hub id or starter.")
    cached = _cached(name)
    if cached is None:
        raise BadInput(
            f"model: {name} is neither a folder beside the run file nor in the local hub cache. "
            f"Fetch it first (hf download {name}), or use starter."
        )
    # A snapshot in the hub's cache consists of links into the folder of blobs beside it.
    return _checked(name, cached, cached.parent.parent, cached.name)


def _checked(name: str, folder: Path, root: Path, revision: str | None) -> ModelReference:
    """`folder` as a model, when its files lie below `root` and it can learn conversations."""
    try:
        require_usable(folder, root)
        facts = read_facts(folder)
    except UnusableFolder as unusable:
        raise BadInput(f"model: {folder}: {unusable}") from unusable
    if not facts.has_chat_template:
        raise BadInput(
            f"model: {name} has no chat template, so it does not know how a conversation is "
            "written; choose an instruction-tuned model."
        )
    return ModelReference(name=name, path=str(folder), revision=revision)


def _cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download  # late: it takes half a second
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _starter(settings: Settings, say: Say) -> Path:
    """The folder of the starter model, converted when it is not there yet."""
    folder = settings.models_dir / STARTER
    if (folder / MANIFEST_FILE).is_file():
        return folder
    say("Preparing the starter model; this happens once and takes about half a minute.")
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".starter-", dir=settings.models_dir) as place:
        run = RunFolder(Path(place) / "1", 1)
        run.create({"kind": "convert_starter", "run_id": str(new_id()), "attempt": 1})
        conversion = ForegroundRun(run, CONVERT_MODULE)
        conversion.start()
        ending = conversion.follow(lambda event: _tell(event, say))
        if ending.code is not ExitCode.FINISHED:
            raise BadInput(f"model: {ending.message} {ending.hint}")
        if not folder.exists():  # else another one was quicker; theirs is as good
            run.output_dir.rename(folder)
            return folder
    if not (folder / MANIFEST_FILE).is_file():
        shutil.rmtree(folder)
        return _starter(settings, say)
    return folder


def _tell(event: Event, say: Say) -> None:
    if isinstance(event, Progress) and event.detail:
        say(f"  {event.detail}")
