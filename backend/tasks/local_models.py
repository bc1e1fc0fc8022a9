"""The base model of a run from files: a starter, a folder, or what lies in the hub's cache."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from backend.ids import new_id
from backend.jobs.run_folder import RunFolder
from backend.models import files, program
from backend.models.abilities import objectives_of
from backend.models.folder import UnusableFolder, read_facts
from backend.models.starters import STARTERS
from backend.settings import Settings
from backend.tasks.compatibility import WITHOUT_TEMPLATE, WRONG_HEAD
from backend.tasks.foreground import ForegroundRun
from backend.tasks.local_inputs import BadInput
from backend.tasks.train_file import ModelWish, place_of
from training_engine.contract.choices import head_of
from training_engine.contract.events import Event, Progress
from training_engine.contract.names import MANIFEST_FILE, ExitCode
from training_engine.contract.spec import ModelReference

CONVERT_MODULE = "training_engine.export.convert_starter"

Say = Callable[[str], None]


def find_model(wish: ModelWish, base: Path, settings: Settings) -> ModelReference:
    """The model that a run file names, when it can learn what is asked for.

    `base` is the folder of the run file. Nothing is loaded: a starter model may still have to be
    made with `prepare_starter`. Raises `BadInput` with all that is wrong.
    """
    name = wish.name
    if starter := STARTERS.get(name):
        problems = _misfits(
            wish, starter.name, starter.architecture, starter.context_length, template=True
        )
        if problems:
            raise BadInput(*problems)
        return ModelReference(name=starter.name, path=str(settings.models_dir / name))
    try:
        folder = place_of(name, base)
    except ValueError as error:
        raise BadInput(f"model: {error}.") from error
    if folder.is_dir():
        return _checked(wish, folder.name, folder, folder, None)
    if name.partition("/")[0] in files.roots(settings):
        return _below_a_root(wish, settings)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        known = " or ".join(STARTERS)
        raise BadInput(f"model: there is no folder {folder}. Name a folder, a hub id or {known}.")
    if own := files.downloaded(settings, name):
        return _checked(wish, name, own[0], own[0], own[1])
    cached = cached_model(name)
    if cached is None:
        raise BadInput(
            f"model: {name} is neither a folder beside the run file, nor among this platform's "
            "models, nor in the local hub cache. Add it on the models page, or fetch it first if "
            f"it is on Hugging Face (hf download {name}), or use {' or '.join(STARTERS)}."
        )
    # A snapshot in the hub's cache consists of links into the folder of blobs beside it.
    return _checked(wish, name, cached, cached.parent.parent, cached.name)


def _below_a_root(wish: ModelWish, settings: Settings) -> ModelReference:
    """`ROOT/RELATIVE`, as the platform refers to folders below the configured ones."""
    try:
        folder, root = files.located(settings, wish.name)
    except files.BadReference as bad:
        raise BadInput(f"model: {bad.detail}") from bad
    return _checked(wish, folder.name, folder, root, None)


def _checked(
    wish: ModelWish, name: str, folder: Path, root: Path, revision: str | None
) -> ModelReference:
    """`folder` as a model, when its files lie below `root` and it can learn what is asked for."""
    trusted = wish.trusted_code_sha256
    try:
        program.require_usable(folder, root, trusted)
        facts = read_facts(folder)
    except UnusableFolder as unusable:
        more = _how_to_allow(folder) if unusable.reason == program.NEEDS_CODE else ""
        raise BadInput(f"model: {folder}: {unusable}{more}") from unusable
    problems = _misfits(
        wish, name, facts.architecture, facts.context_length, template=facts.has_chat_template
    )
    if problems:
        raise BadInput(*problems)
    return ModelReference(
        name=name, path=str(folder), revision=revision, trusted_code_sha256=trusted
    )


def _how_to_allow(folder: Path) -> str:
    """The next step for a model that can only be loaded by executing what it brings along."""
    found = program.program_of(folder)
    if found is None:
        return ""
    return (
        f" Read {', '.join(found.files)} there; to have exactly these executed, write "
        f"trusted_code_sha256: {found.sha256} into the run file."
    )


def _misfits(
    wish: ModelWish, name: str, architecture: str | None, context: int | None, *, template: bool
) -> list[str]:
    """What keeps a model from this run, a line each."""
    found = []
    objective, length = wish.objective, wish.max_length
    if objective is not None and objective not in objectives_of(architecture):
        message = WRONG_HEAD[head_of(objective)][1].format(
            name=name, architecture=architecture or "model of unknown kind", objective=objective
        )
        found.append(f"model: {message}")
    elif (
        objective is not None
        and objective not in WITHOUT_TEMPLATE
        and not template
        and not wish.brings_template
    ):
        found.append(
            f"model: {name} has no chat template, so it does not know how a conversation is "
            "written; choose an instruction-tuned model, or give a chat_template."
        )
    if context and length and length > context:
        found.append(
            f"hyperparameters.max_length: {name} reads {context} tokens at most, and {length} are "
            "asked for; choose a smaller number."
        )
    return found


def cached_model(name: str) -> Path | None:
    """The folder of a hub model that was fetched before; nothing is fetched."""
    from huggingface_hub import snapshot_download  # late: it takes half a second
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def prepare_starter(reference: str, settings: Settings, say: Say) -> None:
    """Make the folder of a starter model when it is not there yet; raises `BadInput`."""
    folder = settings.models_dir / reference
    if (folder / MANIFEST_FILE).is_file():
        return
    say("Preparing the starter model; this happens once and takes up to half a minute.")
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".starter-", dir=settings.models_dir) as place:
        run = RunFolder(Path(place) / "1", 1)
        spec = {"kind": "convert_starter", "run_id": str(new_id()), "attempt": 1}
        run.create({**spec, "starter": reference})
        conversion = ForegroundRun(run, CONVERT_MODULE)
        conversion.start()
        ending = conversion.follow(lambda event: _tell(event, say))
        if ending.code is not ExitCode.FINISHED:
            raise BadInput(f"model: {ending.message} {ending.hint}")
        if not folder.exists():  # else another one was quicker; theirs is as good
            run.output_dir.rename(folder)
            return
    if not (folder / MANIFEST_FILE).is_file():
        shutil.rmtree(folder)
        prepare_starter(reference, settings, say)


def _tell(event: Event, say: Say) -> None:
    if isinstance(event, Progress) and event.detail:
        say(f"  {event.detail}")
