"""Two processes are one run: the same losses, weights and ledger, one stream of events, any end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.running import (
    REPOSITORY,
    events,
    exit_facts,
    finish,
    identity,
    is_running,
    log_lines,
    start_host,
    wait_until,
)
from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from training_engine import distributed
from training_engine.contract.choices import Device, Objective
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.data import ledger
from training_engine.failures import EngineFailure

TWO = {"OMP_NUM_THREADS": "1"}
# 24 samples in steps of 5 and 4, one row for each sample: the processes have unequally many. The
# one row that is held out leaves the second process without any.
KNOBS: dict[str, Any] = {
    "epochs": 1,
    "batch_size": 5,
    "micro_batch_size": 1,
    "evaluation_steps": 2,
    "lora_dropout": 0,
}
LONG: dict[str, Any] = {
    **KNOBS,
    "epochs": 20,
    "micro_batch_size": "auto",
    "evaluation_steps": 1000,
    "save_steps": 1000,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("data") / "data.jsonl", greetings(25))


def two(spec: RunSpec, strategy: str = "ddp", processes: int = 2) -> RunSpec:
    shared = {"strategy": strategy, "processes": processes}
    return RunSpec.model_validate({**spec.model_dump(), "distributed": shared})


def start(run_dir: Path, spec: RunSpec) -> "subprocess.Popen[bytes]":
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    return start_host(run_dir, child=None, **TWO)


def ended(run_dir: Path, host: "subprocess.Popen[bytes]") -> Outcome:
    """What a run left, whose events are one stream with one end."""
    finish(host, 300)
    found = events(run_dir)
    assert [event.seq for event in found] == list(range(len(found)))
    kinds = [event.type for event in found]
    assert kinds.count("started") == 1
    assert sum(kind in {"finished", "stopped", "failed"} for kind in kinds) == 1
    return Outcome(run_dir, ExitCode(host.returncode), found)


def run(run_dir: Path, spec: RunSpec) -> Outcome:
    return ended(run_dir, start(run_dir, spec))


def weights(outcome: Outcome) -> dict[str, torch.Tensor]:
    (file,) = (outcome.run_dir / "output").glob("*.safetensors")
    found: dict[str, torch.Tensor] = load_file(file)
    return found


def launcher(run_dir: Path) -> int:
    """The process that started the others."""
    facts = identity(run_dir)
    assert facts is not None
    pid: int = facts["child_pid"]
    return pid


def ledger_of(run_dir: Path) -> list[int]:
    try:
        return list(ledger.read(run_dir / "ledger.bin"))
    except FileNotFoundError:
        return []


def consumed(outcome: Outcome) -> list[int]:
    return ledger_of(outcome.run_dir)


def assert_close(some: Outcome, whole: Outcome, after: int = -1) -> None:
    for name in ("loss", "eval_loss", "grad_norm"):
        expected = {step: v for step, v in whole.series(name).items() if step > after}
        assert some.series(name) == pytest.approx(expected, rel=1e-4)
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(some)[name], value, rtol=1e-3, atol=1e-5)
    assert consumed(some) == consumed(whole)


def members(parent: int) -> dict[int, int]:
    """Rank → pid of the processes that share a run."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                above = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            rank = [v for v in variables if v.startswith(b"RANK=")]
            if int(above) == parent and rank:
                found[int(rank[0].partition(b"=")[2])] = int(entry.name)
    return found


def listening(pid: int) -> Iterator[str]:
    """Addresses, as the kernel writes them, where a process waits for connections."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                yield fields[1].partition(":")[0]


CASES = [
    ("ddp", "lora", Objective.SFT),
    ("fsdp", "full", Objective.DPO),
    pytest.param("fsdp", "lora", Objective.DPO, marks=pytest.mark.long),
    pytest.param("fsdp", "lora", Objective.SFT, marks=pytest.mark.long),
    pytest.param("fsdp", "full", Objective.SFT, marks=pytest.mark.long),
    pytest.param("fsdp", "freeze", Objective.SFT, marks=pytest.mark.long),
    pytest.param("fsdp", "lora", Objective.CLASSIFY, marks=pytest.mark.long),
    pytest.param("ddp", "full", Objective.DPO, marks=pytest.mark.long),
    pytest.param("ddp", "lora", Objective.KTO, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("strategy", "method", "objective"), CASES)
def test_as_one_process(
    tmp_path: Path, tiny_model: Path, strategy: str, method: str, objective: Objective
) -> None:
    rows = write(tmp_path / "rows.jsonl", objective, 25)
    spec = spec_for(objective, rows, tiny_model, KNOBS, method=method)
    one = run_here(tmp_path / "one", spec)
    assert one.code == ExitCode.FINISHED
    both = run(tmp_path / "two", two(spec, strategy))
    assert both.code == ExitCode.FINISHED
    assert_close(both, one)
    # Nothing but the lines of the one that writes.
    assert [line.text for line in log_lines(both.run_dir) if line.stream != "out"] == []
    assert sum(line.text.startswith("step 5/5  loss") for line in log_lines(both.run_dir)) == 1


@pytest.mark.long
def test_slices_of_unequal_size(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    """No matrix of the tiny model can be cut into three equal parts; begun by one process."""
    spec = make_spec(data, tiny_model, method="full", hyperparameters=KNOBS)
    one = run_here(tmp_path / "one", spec)
    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
    from_here = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    three = run(tmp_path / "three", two(spec, "fsdp", 3).model_copy(update=from_here))
    assert_close(three, one, after=3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("strategy", "method", "dropout"),
    [("ddp", "lora", 0.2), ("fsdp", "full", 0)],
)
def test_stopped_and_resumed(
    tmp_path: Path, tiny_model: Path, data: Path, strategy: str, method: str, dropout: float
) -> None:
    """To the bit with as many processes; close, without dropout, with one."""
    knobs = {**LONG, "lora_dropout": dropout}
    alone = make_spec(data, tiny_model, method=method, hyperparameters=knobs)
    spec = two(alone, strategy)
    whole = run(tmp_path / "whole", spec)
    host = start(tmp_path / "1", spec)
    wait_until(lambda: len(ledger_of(tmp_path / "1")) > 10, 120)
    os.kill(launcher(tmp_path / "1"), signal.SIGTERM)
    first = ended(tmp_path / "1", host)
    assert (first.code, first.last.type) == (ExitCode.STOPPED, "stopped")
    assert 0 < first.last.step < whole.last.step
    folder = first.run_dir / "checkpoints" / first.last.checkpoint
    states = load_file(folder / "random.safetensors")
    assert not torch.equal(states["cpu"], states["cpu.1"])  # each its own dropout
    from_here = {"resume_from": str(folder), "attempt": 2}
    resumed = run(tmp_path / "2", spec.model_copy(update=from_here))
    expected = {step: v for step, v in whole.series("loss").items() if step > first.last.step}
    assert resumed.series("loss") == expected
    assert consumed(resumed) == consumed(whole)
    assert all(torch.equal(weights(resumed)[k], value) for k, value in weights(whole).items())
    if not dropout:
        one = run_here(tmp_path / "3", alone.model_copy(update=from_here))
        assert one.code == ExitCode.FINISHED
        assert one.series("loss") == pytest.approx(expected, rel=1e-3)
        assert consumed(one) == consumed(whole)


@pytest.mark.long
def test_what_one_process_began_two_go_on_with(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    alone = make_spec(data, tiny_model, method="full", hyperparameters={**KNOBS, "save_steps": 2})
    whole = run_here(tmp_path / "whole", alone)
    first = run_here(tmp_path / "1", alone, StopAfter(tmp_path / "1", 3))
    assert first.last.checkpoint == "step-00000003"
    from_here = {"resume_from": str(tmp_path / "1" / "checkpoints"), "attempt": 2}
    for strategy in ("fsdp", "ddp"):
        spec = two(alone, strategy).model_copy(update=from_here)
        assert_close(run(tmp_path / strategy, spec), whole, after=3)


def test_one_that_dies_ends_the_run(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    spec = two(make_spec(data, tiny_model, hyperparameters={**LONG, "epochs": 100}))
    host = start(tmp_path / "run", spec)
    wait_until(lambda: len(ledger_of(tmp_path / "run")) > 10, 120)
    ranks = members(launcher(tmp_path / "run"))
    assert ranks.keys() == {0, 1}
    heard = [address for pid in ranks.values() for address in listening(pid)]
    assert set(heard) == {"0100007F"}  # 127.0.0.1: no other machine can connect
    os.kill(ranks[1], signal.SIGKILL)
    outcome = ended(tmp_path / "run", host)
    assert outcome.code == ExitCode.FAILED
    assert (outcome.last.type, outcome.last.code) == ("failed", "engine_crashed")
    assert outcome.last.message == "Process 2 of 2 was ended by SIGKILL."
    assert not is_running(ranks[0])
    assert exit_facts(outcome.run_dir)["exit_code"] == ExitCode.FAILED


@pytest.mark.long
def test_what_all_refuse_is_said_once(tmp_path: Path, tiny_model: Path) -> None:
    """The batch is large enough, the data are not: known only when they are read."""
    data = write_rows(tmp_path / "data.jsonl", greetings(1))
    knobs = {**KNOBS, "evaluation_fraction": 0}
    spec = two(make_spec(data, tiny_model, hyperparameters=knobs))
    outcome = run(tmp_path / "run", spec)
    assert (outcome.code, outcome.last.code) == (ExitCode.SPEC_REFUSED, "bad_spec")
    assert outcome.last.params == {"field": "distributed.processes", "samples": 1}
    assert "at most 1 processes" in outcome.last.hint


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before they meet; the count of GPUs is the only thing that is made up."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(EngineFailure, match="2 processes, one for each GPU, and there are 1"):
        distributed.join(2, Device.AUTO)


def test_started_otherwise_than_the_spec_says(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    outcome = run_here(tmp_path / "run", two(make_spec(data, tiny_model)))
    assert outcome.last.code == "bad_spec"
    assert outcome.last.message == "The spec asks for 2 processes, and 1 were started."


@pytest.mark.long
def test_torchrun_starts_it_too(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    spec = make_spec(data, tiny_model, hyperparameters=KNOBS)
    one = run_here(tmp_path / "one", spec)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "spec.json").write_text(two(spec).model_dump_json())
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    program = ["--nproc-per-node", "2", "-m", "training_engine.train", str(tmp_path / "two")]
    subprocess.run(
        [*torchrun, *program], cwd=REPOSITORY, env={**os.environ, **TWO}, check=True, timeout=300
    )
    assert_close(Outcome(tmp_path / "two", ExitCode.FINISHED, events(tmp_path / "two")), one)
