/** Hyper-parameters: what they are called and what they do, keyed by the field of the schema. */
export default {
  units: {
    steps: 'steps',
    samples: 'samples',
    tokens: 'tokens',
    evaluations: 'evaluations',
  },
  empty: {
    max_steps: 'no limit',
    micro_batch_size: 'automatic',
    target_modules: 'all linear layers',
    evaluation_steps: 'automatic',
    save_steps: 'with every evaluation',
    early_stopping_patience: 'never',
  },
  choices: {
    constant: 'Constant',
    linear: 'Linear to zero',
    cosine: 'Cosine to zero',
  },
  names: {
    epochs: {
      label: 'Epochs',
      help: 'How often the model sees the whole data set.',
    },
    max_steps: {
      label: 'Most steps',
      help: 'Ends the run after this many steps, whatever the epochs say.',
    },
    learning_rate: {
      label: 'Learning rate',
      help: 'How far one step moves the weights. LoRA: 1e-4 to 5e-4; full tuning: 1e-5 to 5e-5.',
    },
    batch_size: {
      label: 'Batch size',
      help: 'Samples that one step learns from.',
    },
    micro_batch_size: {
      label: 'Micro batch size',
      help: 'Samples computed at once. Saves memory; the result is the same.',
    },
    max_length: {
      label: 'Longest sample',
      help: 'Longer samples are cut, and counted.',
    },
    leave_out_overlong: {
      label: 'Leave out overlong rows',
      help: 'Rows whose whole answer lies beyond the longest sample are left out, and counted. Otherwise one of them refuses the run.',
    },
    warmup_ratio: {
      label: 'Warm-up',
      help: 'Share of the steps in which the learning rate rises from zero.',
    },
    schedule: {
      label: 'Schedule',
      help: 'How the learning rate falls after the warm-up.',
    },
    weight_decay: {
      label: 'Weight decay',
      help: 'Pulls the weights towards zero, against learning by heart.',
    },
    max_grad_norm: {
      label: 'Gradient clipping',
      help: 'Gradients longer than this are shortened to it.',
    },
    seed: {
      label: 'Seed',
      help: 'Fixes order, split and the first adapter: same seed, same run.',
    },
    packing: {
      label: 'Packing',
      help: 'Lays samples end to end without padding. Faster; they do not see each other.',
    },
    lora_rank: {
      label: 'LoRA rank',
      help: 'Width of the adapter. More can learn more and needs more memory.',
    },
    lora_alpha: {
      label: 'LoRA alpha',
      help: 'Strength of the adapter; usually twice the rank.',
    },
    lora_dropout: {
      label: 'LoRA dropout',
      help: 'Share of the adapter’s inputs dropped while it learns.',
    },
    target_modules: {
      label: 'Layers with an adapter',
      help: 'By name, for example q_proj. Empty takes every linear layer.',
    },
    evaluation_fraction: {
      label: 'Share to measure on',
      help: 'Rows held out of the training when no validation set is given.',
    },
    evaluation_steps: {
      label: 'Measure every',
      help: 'Empty measures about ten times over the run.',
    },
    save_steps: {
      label: 'Checkpoint every',
      help: 'Empty saves with every measurement.',
    },
    early_stopping_patience: {
      label: 'Stop early after',
      help: 'Measurements without improvement after which the run ends.',
    },
  },
}
