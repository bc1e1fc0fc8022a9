"""The child of a training run: reads its spec, computes it, tells how it ended.

`python -m training_engine.train RUN_DIR`, normally started by the run host. Whatever goes wrong
ends in one `failed` event with a closed code, a plain sentence and the next action.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError

from training_engine import launch, quick_start
from training_engine.contract.events import Scalar
from training_engine.contract.failpoints import reach
from training_engine.contract.mistakes import Place
from training_engine.contract.names import SPEC_FILE, ExitCode, FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.events import EventWriter, Reporter, Unheard
from training_engine.failures import EngineFailure, explain
from training_engine.printing import outlast_readers
from training_engine.versions import versions


def main(argv: list[str]) -> int:
    """Run the spec of a run folder; returns one of `ExitCode`.

    A run of several processes starts them: each comes here again, as a member.
    """
    run_dir = Path(argv[0])
    stop = StopRequests(run_dir)
    stop.listen()
    member = launch.is_member()
    with Unheard() if member and os.environ["RANK"] != "0" else EventWriter(run_dir) as events:
        reporter = Reporter(events)
        try:
            spec = read_spec(run_dir)
            reach("engine.started")
            if spec.distributed.processes > 1 and not member:
                return share(run_dir, spec, reporter, stop)
            quick_start.pause_collector()
            quick_start.read_ahead(Path(spec.model.path))
            from training_engine import attempt  # torch, only for a spec that is right

            return attempt.run(run_dir, spec, reporter, stop)
        except Exception as error:  # noqa: BLE001 - the one place where every failure is caught
            place = f"In process {int(os.environ['RANK']) + 1}:\n" if member else ""
            sys.stderr.write(place + traceback.format_exc())
            failure = explain(error)
            return ExitCode.FAILED if member and launch.tell(failure) else fail(reporter, failure)
        finally:
            quick_start.resume_collector()


def share(run_dir: Path, spec: RunSpec, reporter: Reporter, stop: StopRequests) -> int:
    """Run the spec in several processes; the first of them writes what the run says."""
    code, failure = launch.run_members(run_dir, spec.distributed.processes, stop)
    reporter.events.catch_up()
    if failure is not None and not reporter.events.ended:
        return fail(reporter, failure)
    return code


def fail(reporter: Reporter, failure: EngineFailure) -> ExitCode:
    """Say why the run ends here."""
    events = reporter.events
    if not events.seq:
        reason = "Nothing was computed: the run ended before a device was chosen."
        events.write(
            "started", device="none", dtype="none", device_reason=reason, versions=versions()
        )
    events.write(
        "failed",
        code=failure.code,
        message=failure.message,
        hint=failure.hint,
        params=failure.params,
    )
    reporter.say(f"ERROR: {failure.message} {failure.hint}")
    refused = failure.code == FailureCode.BAD_SPEC
    return ExitCode.SPEC_REFUSED if refused else ExitCode.FAILED


def read_spec(run_dir: Path) -> RunSpec:
    """The run's spec; raises `EngineFailure` that names every wrong field."""
    hint = "Correct what is named and create the run again."
    try:
        return RunSpec.model_validate_json((run_dir / SPEC_FILE).read_bytes())
    except OSError as error:
        message, fields = f"{SPEC_FILE} can not be read: {error.strerror}.", [""]
        cause: Exception = error
    except ValidationError as error:
        problems: dict[str, str] = {}
        for problem in error.errors(include_url=False):
            place = ".".join(map(str, field_at(problem["loc"])))
            problems.setdefault(place, problem["msg"])
        told = "; ".join(f"{place or SPEC_FILE}: {what}" for place, what in problems.items())
        message, fields = f"The run's spec is not valid. {told}.", list(problems)
        cause = error
    params: dict[str, Scalar] = {"field": fields[0], "count": len(fields)}
    raise EngineFailure(FailureCode.BAD_SPEC, message, hint, params) from cause


def field_at(place: Place) -> Place:
    """The field of a spec that is wrong; pydantic also says which of its alternatives it is not."""
    model: type[BaseModel] | None = RunSpec
    depth = 0
    while model is not None and depth < len(place):
        field = model.model_fields.get(str(place[depth]))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        models = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
        model, depth = next(models, None), depth + 1
    return place[:depth]


if __name__ == "__main__":
    outlast_readers()
    code = main(sys.argv[1:])
    if launch.is_member():
        launch.end(code)
    sys.exit(code)
