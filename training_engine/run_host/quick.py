"""Plain lines of a flood are formatted together: a few passes of C over the whole piece.

The result is the same as line by line; what needs care is left to `lines.py`.
"""

import re

from training_engine.contract.log_lines import Level, Stream, format_head, infer_level
from training_engine.contract.names import MAX_LOG_LINE_BYTES

TRACEBACK = "Traceback (most recent call last)"

_CONTROLS = bytes(b for b in range(32) if b not in b"\n\t") + b"\x7f"
_HARMLESS = bytes(b for b in range(256) if b not in _CONTROLS)
# U+0080 to U+009F, U+2028, U+2029: see `_UNSAFE_TEXT` in lines.py.
_UNSAFE_UTF8 = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")
# Beginnings of lines that may claim another level than the stream's; `infer_level` then decides.
_HEADS = rb"[\[(|]|\d{4}-|DEBUG|TRACE|INFO|NOTICE|WARN|ERROR|CRITICAL|FATAL|Traceback|" + (
    rb"(?:debug|info|warn|warning|error|critical|fatal|Warning|Error|Info)\s*:"
)
_CLAIMS = re.compile(rb"\n(?:" + _HEADS + rb")[^\n]*")
_NAMED = (b"Error: ", b"Warning: ", b"Exception: ")
_NAMED_CLAIMS = re.compile(
    rb"\n(?:" + _HEADS + rb"|\S*(?:Warning|Error|Exception): |\S+:\d+: )[^\n]*"
)


def formatted(content: bytes, at: str, stream: Stream, rank: int | None) -> bytes | None:
    """`content` (whole lines, without the last newline) as lines of the log; None: too special."""
    if not _is_plain(content):
        return None
    default: Level = "warning" if stream == "err" else "info"
    head = b"\n" + format_head(at, default, stream, rank=rank).encode()
    content = b"\n" + content
    claims = _NAMED_CLAIMS if any(name in content for name in _NAMED) else _CLAIMS
    parts: list[bytes] = []
    done = 0
    for claim in claims.finditer(content):
        text = claim[0][1:].decode()
        if text.startswith(TRACEBACK):
            return None
        level = infer_level(text, stream)
        if level != default:
            parts.append(content[done : claim.start()].replace(b"\n", head))
            parts.append(b"\n" + format_head(at, level, stream, rank=rank).encode())
            done = claim.start() + 1
            parts.append(content[done : claim.end()])
            done = claim.end()
    parts.append(content[done:].replace(b"\n", head))
    return b"".join(parts)[1:] + b"\n"


def _is_plain(content: bytes) -> bool:
    """Whether every line is short, valid UTF-8 and free of control characters."""
    if content.translate(None, _HARMLESS):
        return False
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            return False
        if _UNSAFE_UTF8.search(content):
            return False
    start, limit = 0, MAX_LOG_LINE_BYTES
    while len(content) - start > limit:
        start = content.rfind(b"\n", start, start + limit + 1) + 1
        if not start:
            return False
    return True
