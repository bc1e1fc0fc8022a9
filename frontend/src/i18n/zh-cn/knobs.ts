/** 超参数：名称与作用，以模式中的字段为键。 */
export default {
  units: {
    steps: '步',
    samples: '个样本',
    tokens: 'token',
    evaluations: '次评估',
  },
  empty: {
    max_steps: '不限',
    micro_batch_size: '自动',
    target_modules: '所有线性层',
    evaluation_steps: '自动',
    save_steps: '每次评估时',
    early_stopping_patience: '不提前停止',
  },
  choices: {
    constant: '恒定',
    linear: '线性降到零',
    cosine: '余弦降到零',
  },
  names: {
    epochs: {
      label: '轮数',
      help: '模型把整个数据集看多少遍。',
    },
    max_steps: {
      label: '最大步数',
      help: '到达这个步数就结束，不论轮数。',
    },
    learning_rate: {
      label: '学习率',
      help: '一步改变权重的幅度。LoRA：1e-4 到 5e-4；全参数：1e-5 到 5e-5。',
    },
    batch_size: {
      label: '批大小',
      help: '每一步学习多少个样本。',
    },
    micro_batch_size: {
      label: '微批大小',
      help: '一次计算多少个样本。可节省内存，结果不变。',
    },
    max_length: {
      label: '最大长度',
      help: '更长的样本会被截断并计数。',
    },
    leave_out_overlong: {
      label: '忽略过长的行',
      help: '整个回答都超出最大长度的行不参与训练，并会计数；关闭时，只要有这样的行，训练就会被拒绝。',
    },
    warmup_ratio: {
      label: '预热比例',
      help: '学习率从零上升所占的步数比例。',
    },
    schedule: {
      label: '学习率曲线',
      help: '预热之后学习率如何下降。',
    },
    weight_decay: {
      label: '权重衰减',
      help: '把权重拉向零，避免死记硬背。',
    },
    max_grad_norm: {
      label: '梯度裁剪',
      help: '超过此长度的梯度会被缩短。',
    },
    seed: {
      label: '随机种子',
      help: '固定顺序、划分和初始适配器：种子相同，运行相同。',
    },
    packing: {
      label: '样本拼接',
      help: '把样本首尾相接，不做填充。更快，且样本互不可见。',
    },
    lora_rank: {
      label: 'LoRA 秩',
      help: '适配器的宽度。越大学得越多，占用内存也越多。',
    },
    lora_alpha: {
      label: 'LoRA alpha',
      help: '适配器的强度，通常是秩的两倍。',
    },
    lora_dropout: {
      label: 'LoRA 丢弃率',
      help: '学习时丢弃适配器输入的比例。',
    },
    target_modules: {
      label: '带适配器的层',
      help: '按名称填写，例如 q_proj。留空表示所有线性层。',
    },
    evaluation_fraction: {
      label: '留出比例',
      help: '没有验证集时，留出多少行用来衡量。',
    },
    evaluation_steps: {
      label: '评估间隔',
      help: '留空则全程评估约十次。',
    },
    save_steps: {
      label: '检查点间隔',
      help: '留空则每次评估时保存。',
    },
    early_stopping_patience: {
      label: '提前停止',
      help: '连续多少次评估没有改善就结束。',
    },
  },
}
