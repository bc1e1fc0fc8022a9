"""The life of a run host: start the engine, copy its output, beat, stop it, say how it ended."""

import os
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from training_engine.contract.failpoints import reach
from training_engine.contract.log_lines import Stream, format_line, timestamp
from training_engine.contract.names import (
    CONTROL_DIR,
    EXIT_FILE,
    HEARTBEAT_S,
    IDENTITY_FILE,
    LOG_FILE,
    NONCE_VARIABLE,
    STOP_AND_SAVE_COMMAND,
)
from training_engine.run_host import child as engine
from training_engine.run_host import family
from training_engine.run_host.lines import LineAssembler
from training_engine.run_host.log_file import LogFile
from training_engine.run_host.outputs import Outputs
from training_engine.run_host.records import (
    OutOfMemoryCount,
    ReservedRecord,
    is_full,
    write_whole,
)
from training_engine.run_host.survivors import kill_survivors

TERM_GRACE_S = 30.0
DRAIN_S = 2.0
READ_BYTES = 64 * 1024
# A pipe that holds little is left to fill for so long: one read for many lines, not one for each.
PAUSE_S = 0.01


class RunHost:
    """One child from its start to `exit.json`; the caller holds the lock."""

    def __init__(self, run_dir: Path, module: str, save_grace_s: float) -> None:
        self._run_dir = run_dir
        self._module = module
        self._nonce = os.environ.get(NONCE_VARIABLE) or os.urandom(16).hex()
        self._exit_record = ReservedRecord(run_dir / EXIT_FILE)
        self._log = LogFile(run_dir / LOG_FILE)
        self._pipes: dict[int, LineAssembler] = {}
        self._pipe_bytes = engine.PIPE_BYTES  # of the smallest
        self._echo = os.isatty(1)
        self._grace_s = [save_grace_s, TERM_GRACE_S]
        self._escalations: list[float] = []  # when to send SIGTERM, then SIGKILL
        self._status: int | None = None
        self._peak_bytes = 0
        self._out_of_memory = OutOfMemoryCount()

    def run(self) -> int:
        """Start the child, serve it until it ends, and return the exit code to end with."""
        engine.become_subreaper()
        wake = self._install_signals()
        self._identify(None)
        reach("host.identified")
        started = time.time()
        self._outputs = Outputs()
        self._child, out, err = engine.start(
            self._module, self._run_dir, self._nonce, self._outputs.theirs
        )
        reach("host.forked")
        self._outputs.started()
        self._identify(self._child)
        self._read_from(out, "out")
        self._read_from(err, "err")
        self._serve(wake)
        kill_survivors(self._child, self._nonce)
        self._drain()
        kill_survivors(self._child, self._nonce)  # born while the first were killed
        self._reap()
        self._log.close(timestamp(time.time()))
        code = os.waitstatus_to_exitcode(self._status or 0)
        reach("host.before_exit_record")
        self._exit_record.write(
            {
                "exit_code": code if code >= 0 else None,
                "signal": -code if code < 0 else None,
                "oom_killed": code == -signal.SIGKILL and self._out_of_memory.increased(),
                "disk_full": code > 0 and is_full(self._run_dir),
                "peak_memory_bytes": self._peak_bytes,
                "started_at": timestamp(started),
                "ended_at": timestamp(time.time()),
            }
        )
        reach("host.exit_recorded")
        return code if code >= 0 else 128 - code

    def _install_signals(self) -> int:
        """Signals wake the loop through a pipe; returns its read end."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        return read

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        """Ask for a save; a second request does not wait for it any longer."""
        now = time.monotonic()
        if not self._escalations:
            save, terminate = self._grace_s
            try:
                control = self._run_dir / CONTROL_DIR
                control.mkdir(mode=0o700, exist_ok=True)
                (control / STOP_AND_SAVE_COMMAND).touch(mode=0o640)
            except OSError:  # no room for the request
                save = 0.0
            self._escalations = [now + save, now + save + terminate]
        elif len(self._escalations) == 2:
            self._escalations = [now, now + self._grace_s[1]]

    def _identify(self, child: int | None) -> None:
        write_whole(
            self._run_dir / IDENTITY_FILE,
            {
                "boot_id": engine.boot_id(),
                "pid": os.getpid(),
                "start_ticks": engine.start_ticks(os.getpid()),
                "nonce": self._nonce,
                "child_pid": child,
            },
        )

    def _read_from(self, pipe: int, stream: Stream, rank: int | None = None) -> None:
        os.set_blocking(pipe, False)
        self._pipe_bytes = min(self._pipe_bytes, engine.widen(pipe))
        self._pipes[pipe] = LineAssembler(stream, rank)

    def _take_outputs(self) -> list[int]:
        """Pipes that members of a group have handed over."""
        taken = self._outputs.taken()
        for output in taken:
            self._read_from(output.pipe, output.stream, output.rank)
        return [output.pipe for output in taken]

    def _serve(self, wake: int) -> None:
        """Copy output, beat, escalate, until the child has ended."""
        poll = select.poll()
        for descriptor in (wake, self._outputs.ours, *self._pipes):
            poll.register(descriptor, select.POLLIN)
        beat = time.monotonic()
        while self._status is None:
            now = time.monotonic()
            if now >= beat:
                self._beat()
                self._out_of_memory.look()
                self._peak_bytes = max(self._peak_bytes, family.peak_bytes(self._child))
                beat = now + HEARTBEAT_S
            if self._escalations and now >= self._escalations[0]:
                self._escalations.pop(0)
                left = bool(self._escalations)
                self._signal_child(signal.SIGTERM if left else signal.SIGKILL)
                if not left:
                    self._escalations = [now + TERM_GRACE_S]
            due = min([beat, *self._escalations[:1]])
            copied = 0
            for descriptor, _ in poll.poll(max(0.0, due - now) * 1000):
                if descriptor == wake:
                    os.read(wake, 4096)
                elif descriptor == self._outputs.ours:
                    for pipe in self._take_outputs():
                        poll.register(pipe, select.POLLIN)
                elif size := self._copy(descriptor):
                    copied += size
                else:
                    poll.unregister(descriptor)
            self._reap()
            if 0 < copied < self._pipe_bytes // 8 and self._status is None:
                time.sleep(PAUSE_S)

    def _beat(self) -> None:
        try:
            os.utime(self._run_dir / IDENTITY_FILE)
        except OSError:  # the folder is gone; the supervisor will see that itself
            return

    def _signal_child(self, number: signal.Signals) -> None:
        self._remark(f"sending {number.name} to the engine")
        os.kill(self._child, number)  # not reaped yet, so the number is still its own

    def _remark(self, text: str) -> None:
        at = timestamp(time.time())
        self._log.write((format_line(at, "warning", "host", text) + "\n").encode(), at)

    def _copy(self, pipe: int) -> int:
        """Move what a pipe holds to the log; how many bytes that was, 0 at its end."""
        try:
            chunk = os.read(pipe, READ_BYTES)
        except BlockingIOError:
            return 1
        at = timestamp(time.time())
        lines = self._pipes[pipe].feed(chunk, at) if chunk else self._pipes[pipe].finish(at)
        self._log.write(lines, at)
        if self._echo:
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()
        if not chunk:
            os.close(pipe)
            del self._pipes[pipe]
        return len(chunk)

    def _drain(self) -> None:
        """What is left in the pipes; a process that keeps one open is not waited for long."""
        self._take_outputs()
        self._outputs.close()
        end = time.monotonic() + DRAIN_S
        while self._pipes and time.monotonic() < end:
            readable, _, _ = select.select(list(self._pipes), [], [], 0.1)
            for pipe in readable:
                self._copy(pipe)
        for assembler in self._pipes.values():
            at = timestamp(time.time())
            self._log.write(assembler.finish(at), at)

    def _reap(self) -> None:
        """Collect every ended child, adopted ones too; remembers how the engine ended."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._child:
                self._status = status
                scale = 1 if sys.platform == "darwin" else 1024
                # The kernel's own record also knows what came between two looks.
                self._peak_bytes = max(self._peak_bytes, usage.ru_maxrss * scale)
