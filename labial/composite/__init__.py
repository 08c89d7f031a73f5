"""Room: composite."""
