"""Making a version out of others, step by step."""
