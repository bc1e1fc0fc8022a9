/** Hyper-parameters: what they are called and what they do, keyed by the field of the schema. */
import values from './knob-values'

export default {
  ...values,
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
      help: 'How far one step moves the weights. LoRA: 1e-4 to 5e-4; full tuning: 1e-5 to 5e-5; preferences: a tenth of these.',
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
      help: 'Longer samples are cut, and counted. In continued pre-training nothing is cut: the text goes on in the next sample.',
    },
    max_target_length: {
      label: 'Longest output',
      help: 'Longer outputs are cut, and counted.',
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
    decay_ratio: {
      label: 'Fall at the end',
      help: 'Share of the steps at the end in which the learning rate falls.',
    },
    optimizer: {
      label: 'Optimizer',
      help: 'AdamW suits nearly everything. AdamW with 8-bit state and Adafactor need less memory; Muon is for full tuning and freezing.',
    },
    weight_decay: {
      label: 'Weight decay',
      help: 'Pulls the weights towards zero, against learning by heart.',
    },
    max_grad_norm: {
      label: 'Gradient clipping',
      help: 'Gradients longer than this are shortened to it.',
    },
    label_smoothing: {
      label: 'Label smoothing',
      help: 'Share of the certainty that is spread over all words or classes, against overconfidence.',
    },
    neftune_noise_alpha: {
      label: 'NEFTune noise',
      help: 'Noise on the word vectors while training, usually 5 to 15. 0 is none.',
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
    lora_variant: {
      label: 'Kind of LoRA',
      help: 'LoRA is the usual one. rsLoRA: for ranks above 64. DoRA: learns length and direction apart, slower. LoRA+: a higher rate for one half. PiSSA: starts from the main directions of the weights.',
    },
    lora_plus_ratio: {
      label: 'LoRA+ ratio',
      help: 'How many times higher the learning rate of matrix B is than that of A.',
    },
    target_modules: {
      label: 'Layers with an adapter',
      help: 'By name, for example q_proj. Empty takes every linear layer.',
    },
    quantization: {
      label: 'Frozen weights stored in',
      help: '4 bits take a quarter of the memory of bfloat16, 8 bits half of it.',
    },
    trainable_layers: {
      label: 'Layers that learn',
      help: 'How many of the last layers learn. The others stay as they are.',
    },
    beta: {
      label: 'Beta',
      help: 'How firmly preferences are learnt: a large value keeps the model near where it started. With ORPO it is the weight of the preference.',
    },
    simpo_gamma_ratio: {
      label: 'Margin (gamma / beta)',
      help: 'By how much the preferred answer has to be ahead, as a share of beta.',
    },
    cpo_alpha: {
      label: 'Weight of the answer itself',
      help: 'How much the preferred answer is also learnt as such.',
    },
    desirable_weight: {
      label: 'Weight of good answers',
      help: 'Raise it where good answers are the fewer.',
    },
    undesirable_weight: {
      label: 'Weight of bad answers',
      help: 'Raise it where bad answers are the fewer.',
    },
    label_kind: {
      label: 'Kind of labels',
      help: 'One class for each text, several, or a number. Automatic reads it from the rows.',
    },
    evaluation_fraction: {
      label: 'Share to measure on',
      help: 'Rows held out of the training when no validation set is given.',
    },
    evaluation_steps: {
      label: 'Measure every',
      help: 'Empty measures about ten times over the run, less often where that would take more than a quarter of the training time.',
    },
    save_steps: {
      label: 'Checkpoint every',
      help: 'Empty saves about ten times over the run, and with every measurement.',
    },
    sample_steps: {
      label: 'Sample answers every',
      help: 'Answers to held-out prompts while it trains. Empty generates them at the end only.',
    },
    early_stopping_patience: {
      label: 'Stop early after',
      help: 'Measurements without improvement after which the run ends.',
    },
    output_checkpoint: {
      label: 'What becomes the result',
      help: 'The checkpoint that is kept as the model; the others are deleted. “Nearly the best” is within one per cent of its loss.',
    },
    gradient_checkpointing: {
      label: 'Gradient checkpointing',
      help: 'Computes activations again instead of keeping them: a third slower, much less memory.',
    },
    activation_offload: {
      label: 'Offload activations',
      help: 'Keeps activations in the computer’s memory instead of the GPU’s.',
    },
    compile: {
      label: 'Compile layers',
      help: 'torch.compile, on GPUs only. Automatic: when the run is expected to take ten minutes or more, unless Liger’s kernels do the same.',
    },
    recover_from_oom: {
      label: 'Go on when memory runs out',
      help: 'Then computes fewer samples at once; batch and result stay the same. With one process only.',
    },
  },
}
