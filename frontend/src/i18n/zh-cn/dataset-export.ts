/** 将某个版本导出为其他程序可用的文件。 */
export default {
  open: '导出',
  title: '导出版本 {{version}}',
  download: '下载',
  formats: {
    jsonl: { name: 'EasyTune JSONL', detail: '与此处存储的内容完全一致，可重新上传。' },
    openai: { name: 'OpenAI messages', detail: '适用于 OpenAI 及大多数训练工具的 JSONL。' },
    sharegpt: { name: 'ShareGPT', detail: '含“conversations”的 JSONL，适用于 LLaMA-Factory 和 axolotl。' },
    alpaca: { name: 'Alpaca', detail: '含 instruction、input、output 的 JSONL：一问一答。' },
    csv: { name: 'CSV', detail: '电子表格可打开的表格：问答，或带标签的文本。' },
    parquet: { name: 'Parquet', detail: '按列存储的全部内容，适用于 pandas、polars、DuckDB。' },
  },
  recordsOnly: '不包含记录之外的列；如需保留，请选择 EasyTune JSONL 或 Parquet。',
}
