"""Room: speaking."""
