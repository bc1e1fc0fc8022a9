"""What the backend and the engine agree on: names, spec, events, records. Cheap to import."""
