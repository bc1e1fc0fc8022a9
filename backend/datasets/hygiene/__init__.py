"""What the rows of a version hide: duplicates, personal data, secrets, poor answers and labels."""
