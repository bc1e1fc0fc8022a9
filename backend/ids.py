"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that keys sort by time and indexes stay compact."""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """48 bits of milliseconds since the epoch, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)
