/** The result of a training in other formats. */
export default {
  one: 'export',
  open: 'Export…',
  title: 'Export the model',
  start: 'Export',
  none: 'Nothing exported yet.',
  noneDetail:
    'Make a plain model folder or a GGUF file for llama.cpp, Ollama and LM Studio. Each one is loaded again and compared with what was trained before you can download it.',
  tooEarly: 'There is nothing to export yet. There is when the training is completed.',
  format: 'Format',
  formats: {
    merged: 'Model folder (safetensors)',
    gguf_f16: 'GGUF, 16 bits (F16)',
    gguf_q8_0: 'GGUF, 8 bits (Q8_0)',
    gguf_q4_k_m: 'GGUF, 4 bits (Q4_K_M)',
  },
  about: {
    merged: 'The adapter folded into its base: for Transformers, vLLM and anything that reads Hugging Face folders.',
    whole: 'The whole model as it was trained: for Transformers, vLLM and anything that reads Hugging Face folders.',
    gguf_f16: 'For llama.cpp and Ollama, without loss.',
    gguf_q8_0: 'Half the size of F16, answers practically the same.',
    gguf_q4_k_m: 'The smallest; answers may differ a little, small models suffer most.',
  },
  reasons: {
    gguf_needs_language_model: 'GGUF is for models that write text; this one scores or translates.',
    gguf_family_unknown:
      'GGUF files of the family {{family}} can not be written and checked yet; the families are {{known}}.',
    gguf_rope_unknown: 'Its positions are scaled in a way ({{rope}}) that GGUF files do not describe.',
  } as Record<string, string>,
  failures: {
    checkpoint_corrupt:
      'What was written, loaded again, does not compute what was trained; nothing was kept.',
    bad_spec: 'This model can not be exported so.',
    model_not_found: 'The model or its base can not be read.',
    host_out_of_memory: 'The memory of this machine was not enough to check the export.',
    disk_full: 'There is not enough free space on the disk.',
  } as Record<string, string>,
  hints: {
    checkpoint_corrupt: 'Export again. If it happens again, check the disk and report it.',
    bad_spec: 'Choose another format.',
    model_not_found: 'Add the base model again, then export again; or run the training again.',
    host_out_of_memory: 'Stop running trainings or close other programs, then export again.',
    disk_full: 'Free disk space, then export again.',
  } as Record<string, string>,
  shardSize: 'Largest file',
  shardSizeDetail: 'The weights are split into files of at most this size.',
  shardSizeMissing: 'Give a size.',
  checked: 'Compared with the training',
  agreement: 'Same likeliest token at {{share}} of {{positions}} positions',
  agreementOfLabels: 'Same first label for {{share}} of {{positions}} texts',
  agreementOfScores: 'Scores compared on {{positions}} texts',
  difference: 'Scores off by {{share}} ({{limit}} allowed)',
  download: 'Download',
  delete: 'Delete {{name}}',
  deleteConsequences: 'The exported files are deleted. The training and its model stay.',
  deleteStops: 'It is stopped, and what it has written is deleted. The training and its model stay.',
}
