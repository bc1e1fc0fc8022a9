"""Canonical records become tokens, trained positions and packed rows."""
