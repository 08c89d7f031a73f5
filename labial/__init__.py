"""Labial: AI lip sync."""
