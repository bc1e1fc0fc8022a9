"""Which addresses are public, and that the sender's process reaches no others."""

import subprocess
import sys

import pytest

from backend.notices.guard import is_public
from backend.settings import PROJECT_ROOT

PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "::127.0.0.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(address)


SCRIPT = """
import socket, sys
from backend.notices import guard

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
port = server.getsockname()[1]
spellings = ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0.0.0.0",
             "localhost.", "LOCALHOST"]
answers = iter(["8.8.8.8", "127.0.0.1"])
real = socket.getaddrinfo

def rebinding(host, port, *args, **kwargs):  # a name server that changes its mind
    return real(next(answers) if host == "rebinding.test" else host, port, *args, **kwargs)

socket.getaddrinfo = rebinding
guard.install({("allowed.test", port)} if len(sys.argv) > 1 else set())

def refused(act):
    said = guard.listen()
    try:
        act()
    except OSError:
        # Some resolvers do not know every spelling.
        return said[-1][0] in ("refused_address", "unknown_host")
    return False

for name in spellings:
    assert refused(lambda: socket.create_connection((name, port), 1)), name
    assert refused(lambda: socket.create_connection((name, 443), 1)), name
# Around the look-up, without it, and over a file.
assert refused(lambda: socket.socket().connect(("127.0.0.1", port)))
assert refused(lambda: socket.socket().connect_ex(("127.0.0.1", port)))
assert refused(lambda: socket.socket(socket.AF_UNIX).connect("/tmp/x.sock"))
# Judged once and found public; the second answer is judged again.
assert socket.getaddrinfo("rebinding.test", 443)[0][4][0] == "8.8.8.8"
assert refused(lambda: socket.create_connection(("rebinding.test", 443), 1))
# A public address at a port that is none of ours.
assert refused(lambda: socket.getaddrinfo("8.8.8.8", 22))
assert refused(lambda: socket.getaddrinfo("8.8.8.8", 80))
print("held")
"""


def test_no_spelling_leads_into_the_private_network() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=PROJECT_ROOT, timeout=60
    )
    assert done.stdout == "held\n", done.stderr
