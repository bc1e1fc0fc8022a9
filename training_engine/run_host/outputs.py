"""How one of several processes hands the pipe it writes to over to the run host, with its rank.

Its lines then carry the rank, are never mixed with another's, and pass no copying process. Where
nobody listens (the engine was started by hand) it writes where its parent does.
"""

import os
import socket
from typing import NamedTuple

from training_engine.contract.log_lines import STREAMS, Stream
from training_engine.contract.names import OUTPUTS_VARIABLE

MAX_MESSAGE_BYTES = 64


class Output(NamedTuple):
    """The end of a pipe to read from, and who writes to it."""

    pipe: int
    stream: Stream
    rank: int


class Outputs:
    """The run host's side. `theirs` is for the child, which inherits it."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ours.setblocking(False)
        self.ours, self.theirs = self._ours.fileno(), self._theirs.fileno()

    def started(self) -> None:
        """The child has its side now."""
        self._theirs.close()

    def taken(self) -> list[Output]:
        """What was handed over since the last time; rubbish is closed."""
        found = []
        while True:
            try:
                message, pipes, _, _ = socket.recv_fds(self._ours, MAX_MESSAGE_BYTES, 8)
            except (BlockingIOError, ConnectionError):
                return found
            if not message and not pipes:
                return found
            said = message.decode(errors="replace").split()
            known = [name for name in STREAMS if said[1:] == [name]]
            if len(pipes) == 1 and known and said[0].isdecimal() and len(said[0]) <= 6:
                found.append(Output(pipes[0], known[0], int(said[0])))
            else:
                for pipe in pipes:
                    os.close(pipe)

    def close(self) -> None:
        """Nothing more is taken."""
        self._ours.close()


def hand_over(stream: Stream, rank: int) -> int | None:
    """The end of a new pipe to write to as `rank`; None when nobody takes the other end."""
    number = os.environ.get(OUTPUTS_VARIABLE, "")
    if not number.isdecimal():
        return None
    read, write = os.pipe()
    try:
        with socket.socket(fileno=os.dup(int(number))) as outputs:
            socket.send_fds(outputs, [f"{rank} {stream}".encode()], [read])
    except OSError:
        os.close(write)
        return None
    finally:
        os.close(read)
    return write
