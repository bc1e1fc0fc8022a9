"""The files of a version: `datasets_dir / ID / vN / …`, which never change once they are there."""

RECORDS_FILE = "records.parquet"
# What the first releases wrote; it stays for the runs that were made of it.
FORMER_RECORDS_FILE = "records.jsonl"
SEARCH_FILE = "search.arrow"
SAMPLE_FILE = "sample.jsonl"
REPORT_FILE = "report.jsonl"
STATISTICS_FILE = "statistics.json"
SUMMARY_FILE = "import.json"
# Made of the records afterwards, and may be made again.
HYGIENE_FILE = "hygiene.json"
FINDINGS_FILE = "findings.arrow"
FINGERPRINTS_FILE = "fingerprints.arrow"
