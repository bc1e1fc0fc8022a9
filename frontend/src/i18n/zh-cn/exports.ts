/** 训练结果的其他格式。 */
import type { Translation } from '../translation'

const exported: Translation['exports'] = {
  one: '导出',
  open: '导出…',
  title: '导出模型',
  start: '导出',
  none: '还没有导出任何内容。',
  noneDetail:
    '可以生成普通的模型文件夹，或供 llama.cpp、Ollama 和 LM Studio 使用的 GGUF 文件。每个导出都会重新加载并与训练结果比较，然后才能下载。',
  tooEarly: '还没有可导出的内容，训练完成后才有。',
  format: '格式',
  formats: {
    merged: '模型文件夹（safetensors）',
    gguf_f16: 'GGUF，16 位（F16）',
    gguf_q8_0: 'GGUF，8 位（Q8_0）',
    gguf_q4_k_m: 'GGUF，4 位（Q4_K_M）',
  },
  about: {
    merged: '适配器已并入基础模型：适用于 Transformers、vLLM 以及任何能读取 Hugging Face 文件夹的程序。',
    whole: '训练得到的完整模型：适用于 Transformers、vLLM 以及任何能读取 Hugging Face 文件夹的程序。',
    gguf_f16: '用于 llama.cpp 和 Ollama，无损失。',
    gguf_q8_0: '大小为 F16 的一半，回答几乎相同。',
    gguf_q4_k_m: '最小；回答可能略有不同，小模型受影响最大。',
  },
  reasons: {
    gguf_needs_language_model: 'GGUF 用于生成文本的模型；该模型用于评分或翻译。',
    gguf_family_unknown: '暂时无法写入并检查 {{family}} 系列的 GGUF 文件；支持的系列有 {{known}}。',
    gguf_rope_unknown: '该模型的位置缩放方式（{{rope}}）无法用 GGUF 文件描述。',
  },
  failures: {
    checkpoint_corrupt: '写入的内容重新加载后与训练结果不一致，没有保留任何文件。',
    bad_spec: '该模型无法这样导出。',
    model_not_found: '无法读取该模型或其基础模型。',
    host_out_of_memory: '本机内存不足，无法检查导出结果。',
    disk_full: '磁盘可用空间不足。',
  },
  hints: {
    checkpoint_corrupt: '请重新导出。如再次发生，请检查磁盘并报告问题。',
    bad_spec: '请选择其他格式。',
    model_not_found: '请重新添加基础模型后再导出，或重新训练。',
    host_out_of_memory: '请停止正在运行的训练或关闭其他程序，然后重新导出。',
    disk_full: '请腾出磁盘空间，然后重新导出。',
  },
  shardSize: '单个文件最大',
  shardSizeDetail: '权重会被拆分成不超过该大小的文件。',
  shardSizeMissing: '请填写大小。',
  checked: '与训练结果比较',
  agreement: '{{positions}} 个位置中 {{share}} 的最可能 token 相同',
  agreementOfLabels: '{{positions}} 段文本中 {{share}} 的首选标签相同',
  agreementOfScores: '比较了 {{positions}} 段文本的分数',
  difference: '分数相差 {{share}}（允许 {{limit}}）',
  download: '下载',
  delete: '删除 {{name}}',
  deleteConsequences: '导出的文件会被删除，训练及其模型保留。',
  deleteStops: '导出会被停止，已写入的内容会被删除，训练及其模型保留。',
}

export default exported
