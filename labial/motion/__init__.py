"""Room: motion."""
