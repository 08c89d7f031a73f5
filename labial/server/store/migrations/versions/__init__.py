"""The steps, in order of their ``down_revision``."""
