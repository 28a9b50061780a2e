"""Runs taken out of a log, for other tools and other people.

sheets       which tables of a log belong to chosen runs
files        a table as CSV, JSONL or Parquet
inspect_log  runs as an Inspect log
readme       the page that says what every file and column of an export holds
bundle       all of them, into one folder
"""

from society.exports.bundle import FORMATS, Exported, export

__all__ = ["FORMATS", "Exported", "export"]
