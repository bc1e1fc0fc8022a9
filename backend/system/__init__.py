"""Host facts, health, counts."""
