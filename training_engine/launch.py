"""Starts the processes that share a run, watches them, and knows why one failed.

They are told of each other in torchrun's variables, meet in a file of the run folder and talk over
the loopback interface: nothing listens where another machine could connect. Standard library and
contract only: this process stays small.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from training_engine.contract.names import ExitCode, FailureCode
from training_engine.control import StopRequests
from training_engine.failures import SMALLER, EngineFailure
from training_engine.run_host.child import end_with_parent
from training_engine.run_host.outputs import hand_over
from training_engine.run_host.records import OutOfMemoryCount

ENGINE = "training_engine.train"
MEETING_FILE = ".meeting"
MEETING_VARIABLE = "EASYTUNE_MEETING"
FAILURE_VARIABLE = "EASYTUNE_FAILURE_PIPE"
# When one has failed the others soon do too, of lost connections or for the same reason.
GRACE_S = 2.0
POLL_S = 0.05
LOOPBACK = ("lo", "lo0")


@dataclass
class Member:
    """One started process; `failure` is what it said before it ended."""

    process: subprocess.Popen[bytes]
    pipe: int
    failure: EngineFailure | None = None

    @property
    def failed(self) -> bool:
        """Whether it has ended otherwise than by finishing or by a wish to stop."""
        return self.process.poll() not in (None, ExitCode.FINISHED, ExitCode.STOPPED)


def is_member() -> bool:
    """Whether this process is one of several that share a run."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def tell(failure: EngineFailure) -> bool:
    """Tell whoever started this process why it fails; False when nobody listens (torchrun)."""
    pipe = os.environ.get(FAILURE_VARIABLE)
    if pipe is None:
        return False
    os.write(int(pipe), json.dumps(vars(failure)).encode())
    return True


def end(code: int) -> NoReturn:
    """End a member without the interpreter's own clean-up.

    A thread of gloo may be giving back the tensor of the last message, for which it asks the
    interpreter; one that is being torn down answers with an abort
    (https://github.com/pytorch/pytorch/pull/179291).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run_members(
    run_dir: Path, count: int, stop: StopRequests, module: str = ENGINE
) -> tuple[int, EngineFailure | None]:
    """Start `count` processes and wait for them all; they see the signals that this one gets.

    Returns the exit code of process 0 and, if one failed, why; then the others are ended too.
    """
    meeting, out_of_memory = run_dir / MEETING_FILE, OutOfMemoryCount()
    meeting.unlink(missing_ok=True)  # of an attempt that was killed
    members: list[Member] = []
    try:
        for rank in range(count):
            members.append(_start(module, run_dir, rank, count))
        failed = _watch(members, stop, out_of_memory)
    finally:
        for member in members:
            member.process.kill()
            member.process.wait()
            os.close(member.pipe)
        meeting.unlink(missing_ok=True)
    cause = _cause(failed, count, out_of_memory) if failed else None
    return members[0].process.returncode, cause


def _start(module: str, run_dir: Path, rank: int, count: int) -> Member:
    read, write = os.pipe()
    os.set_blocking(read, False)
    # The others say on stdout what the first says; what goes wrong they say on stderr.
    out = hand_over("out", rank) if rank == 0 else subprocess.DEVNULL
    err = hand_over("err", rank)
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(run_dir)],
        env=_environment(run_dir, rank, count) | {FAILURE_VARIABLE: str(write)},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        pass_fds=(write,),
        preexec_fn=end_with_parent,
    )
    for descriptor in (write, out, err):
        if descriptor is not None and descriptor != subprocess.DEVNULL:
            os.close(descriptor)
    return Member(process, read)


def _environment(run_dir: Path, rank: int, count: int) -> dict[str, str]:
    """torchrun's variables, the place to meet, and a fair share of the cores."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    wished = {"OMP_NUM_THREADS": str(max(1, cores // count))}
    names = [name for _, name in socket.if_nameindex() if name in LOOPBACK]
    if names:
        wished |= {"GLOO_SOCKET_IFNAME": names[0], "NCCL_SOCKET_IFNAME": names[0]}
    given = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": count,
        "LOCAL_WORLD_SIZE": count,
        MEETING_VARIABLE: run_dir.resolve() / MEETING_FILE,
    }
    if rank:  # the first says it
        given["PYTHONWARNINGS"] = "ignore"
    return {**wished, **os.environ, **{name: str(value) for name, value in given.items()}}


def _watch(
    members: list[Member], stop: StopRequests, out_of_memory: OutOfMemoryCount
) -> list[tuple[int, Member]]:
    """Wait for all; those that failed by themselves, in the order of their ends, with their rank.

    The first failure leaves the others a moment, then they are killed.
    """
    failed: dict[int, Member] = {}
    deadline = float("inf")
    while any(member.process.poll() is None for member in members):
        if time.monotonic() > deadline:
            break
        stop.pass_on()
        out_of_memory.look()
        for rank, member in enumerate(members):
            if member.failed and rank not in failed:
                failed[rank] = member
                deadline = min(deadline, time.monotonic() + GRACE_S)
        time.sleep(POLL_S)
    failed |= {r: m for r, m in enumerate(members) if m.failed and r not in failed}
    for member in failed.values():
        member.failure = _said(member)
    return list(failed.items())


def _said(member: Member) -> EngineFailure | None:
    try:
        content = os.read(member.pipe, 65536)
    except BlockingIOError:
        return None
    if not content:
        return None
    facts = json.loads(content)
    return EngineFailure(**{**facts, "code": FailureCode(facts["code"])})


def _cause(
    failed: list[tuple[int, Member]], count: int, out_of_memory: OutOfMemoryCount
) -> EngineFailure:
    """Why the run failed: known reasons first, then deaths, then what is told as an unknown error
    (a lost connection to one that died, most of the time)."""
    told = [member.failure for _, member in failed if member.failure is not None]
    known = [failure for failure in told if failure.code is not FailureCode.INTERNAL]
    if known:
        return known[0]
    for rank, member in failed:
        code = member.process.returncode
        if code == -signal.SIGKILL and out_of_memory.increased():
            return EngineFailure(
                FailureCode.HOST_OUT_OF_MEMORY,
                f"The machine ran out of memory and ended process {rank + 1} of {count}.",
                SMALLER,
            )
        if code < 0:
            return _died(rank, count, f"was ended by {signal.Signals(-code).name}")
    if told:
        return told[0]
    rank, member = failed[0]
    return _died(rank, count, f"ended unexpectedly (exit code {member.process.returncode})")


def _died(rank: int, count: int, how: str) -> EngineFailure:
    return EngineFailure(
        FailureCode.ENGINE_CRASHED,
        f"Process {rank + 1} of {count} {how}.",
        "The log shows what it said last. Resume the run from its last checkpoint.",
        {"process": rank + 1},
    )
