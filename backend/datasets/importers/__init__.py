"""From rows to canonical records: one file per format family."""
