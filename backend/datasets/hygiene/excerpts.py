"""A short piece of a row to show, with whatever is personal or secret in it covered."""

from backend.datasets.hygiene import scan
from backend.datasets.hygiene.scan import Span

WIDTH = 160
# Looked through around the place, so that nothing begins or ends unseen outside of the piece.
MARGIN = 4_000


def of(text: str, start: int = 0, end: int = 0) -> str:
    """About `WIDTH` characters around `text[start:end]`, on one line."""
    first = max(0, start - MARGIN)
    part = text[first : end + MARGIN]
    found = scan.spans(part)
    before = max(0, (start - first) - WIDTH // 2)
    pieces: list[str] = []
    size, at = 0, before
    for span in found:
        if span.end <= before:
            continue
        if span.start < before and not pieces:
            at = before = span.start  # from the beginning of what is covered
        if size + span.start - at >= WIDTH:
            break
        pieces += (part[at : span.start], scan.covered(part[span.start : span.end]))
        size += len(pieces[-2]) + len(pieces[-1])
        at = span.end
    if size < WIDTH:
        pieces.append(part[at : at + WIDTH - size])
        at += len(pieces[-1])
    shown = " ".join("".join(c if c.isprintable() else " " for c in "".join(pieces)).split())
    return ("…" if first + before > 0 else "") + shown + ("…" if first + at < len(text) else "")


def detail_of(text: str, span: Span) -> str:
    """What was found, in a few signs: its kind and its covered value."""
    value = scan.covered(text[span.start : span.end])
    return f"{span.kind}: {value}" if span.kind else value
