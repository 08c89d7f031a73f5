"""Room: report. The page of a dub, for people."""

from labial.report.write import report_files, write_report

__all__ = ["report_files", "write_report"]
