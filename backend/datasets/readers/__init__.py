"""From bytes to rows: one file per kind of file."""
