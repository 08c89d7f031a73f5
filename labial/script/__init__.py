"""Room: script."""
