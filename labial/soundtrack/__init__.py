"""Room: soundtrack."""
