/** A version as a file for other programs. */
export default {
  open: 'Export',
  title: 'Export version {{version}}',
  download: 'Download',
  formats: {
    jsonl: { name: 'EasyTune JSONL', detail: 'Everything, as it is stored here; can be uploaded again.' },
    openai: { name: 'OpenAI messages', detail: 'JSONL for OpenAI and most other trainers.' },
    sharegpt: { name: 'ShareGPT', detail: 'JSONL with “conversations”, for LLaMA-Factory and axolotl.' },
    alpaca: { name: 'Alpaca', detail: 'JSONL with instruction, input and output: one question, one answer.' },
    csv: { name: 'CSV', detail: 'A table for spreadsheets: questions with answers, texts with labels.' },
    parquet: { name: 'Parquet', detail: 'Everything, in columns: for pandas, polars, DuckDB.' },
  },
  recordsOnly: 'Columns beside the records are left out; EasyTune JSONL and Parquet keep them.',
}
