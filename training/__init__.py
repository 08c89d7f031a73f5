"""How the shipped networks were made. Not part of the wheel; run as ``python -m training.NAME``."""
