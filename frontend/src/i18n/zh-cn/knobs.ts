/** 超参数：名称与作用，以模式中的字段为键。 */
import values from './knob-values'

export default {
  ...values,
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
      help: '一步改变权重的幅度。LoRA：1e-4 到 5e-4；全参数：1e-5 到 5e-5；偏好训练取其十分之一。',
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
      help: '更长的样本会被截断并计数。继续预训练时不截断：文本在下一个样本中接着学。',
    },
    max_target_length: {
      label: '最大输出长度',
      help: '更长的输出会被截断并计数。',
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
    decay_ratio: {
      label: '末尾下降比例',
      help: '末尾有多大比例的步数用于降低学习率。',
    },
    optimizer: {
      label: '优化器',
      help: 'AdamW 适合绝大多数情况。8 位状态的 AdamW 和 Adafactor 占用内存更少；Muon 用于全参数和冻结微调。',
    },
    weight_decay: {
      label: '权重衰减',
      help: '把权重拉向零，避免死记硬背。',
    },
    max_grad_norm: {
      label: '梯度裁剪',
      help: '超过此长度的梯度会被缩短。',
    },
    label_smoothing: {
      label: '标签平滑',
      help: '把一部分确信度分摊到所有词或类别上，避免过度自信。',
    },
    neftune_noise_alpha: {
      label: 'NEFTune 噪声',
      help: '训练时给词向量加的噪声，通常为 5 到 15；0 表示不加。',
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
    lora_variant: {
      label: 'LoRA 变体',
      help: '通常用 LoRA。rsLoRA：适合秩大于 64。DoRA：分别学习长度和方向，较慢。LoRA+：其中一半用更高的学习率。PiSSA：从权重的主方向开始。',
    },
    lora_plus_ratio: {
      label: 'LoRA+ 倍率',
      help: '矩阵 B 的学习率是矩阵 A 的多少倍。',
    },
    target_modules: {
      label: '带适配器的层',
      help: '按名称填写，例如 q_proj。留空表示所有线性层。',
    },
    quantization: {
      label: '冻结权重的存储方式',
      help: '4 位占用 bfloat16 四分之一的内存，8 位占用一半。',
    },
    trainable_layers: {
      label: '参与学习的层数',
      help: '最后多少层参与学习，其余保持不变。',
    },
    beta: {
      label: 'Beta',
      help: '对偏好的约束强度：越大，模型越接近起点。用于 ORPO 时是偏好的权重。',
    },
    simpo_gamma_ratio: {
      label: '间隔（gamma / beta）',
      help: '更好的回答需要领先多少，以 beta 的倍数表示。',
    },
    cpo_alpha: {
      label: '回答本身的权重',
      help: '在多大程度上同时学习更好的回答本身。',
    },
    desirable_weight: {
      label: '好回答的权重',
      help: '好回答较少时调高。',
    },
    undesirable_weight: {
      label: '差回答的权重',
      help: '差回答较少时调高。',
    },
    label_kind: {
      label: '标签类型',
      help: '每条文本一个类别、多个类别，或一个数值。自动：根据数据判断。',
    },
    evaluation_fraction: {
      label: '留出比例',
      help: '没有验证集时，留出多少行用来衡量。',
    },
    evaluation_steps: {
      label: '评估间隔',
      help: '留空则全程评估约十次；若评估会占用超过四分之一的训练时间，则次数更少。',
    },
    save_steps: {
      label: '检查点间隔',
      help: '留空则全程约保存十次，并在每次评估时保存。',
    },
    sample_steps: {
      label: '样例回答间隔',
      help: '训练期间对留出的提示生成回答。留空则只在结束时生成。',
    },
    early_stopping_patience: {
      label: '提前停止',
      help: '连续多少次评估没有改善就结束。',
    },
    output_checkpoint: {
      label: '以哪个检查点为结果',
      help: '该检查点成为最终模型，其余删除。“接近最好”指损失相差不到百分之一。',
    },
    gradient_checkpointing: {
      label: '梯度检查点',
      help: '重新计算激活值而不保存：慢三分之一，内存少很多。',
    },
    activation_offload: {
      label: '卸载激活值',
      help: '把激活值放在主机内存，而不是 GPU 显存。',
    },
    compile: {
      label: '编译各层',
      help: 'torch.compile，仅用于 GPU。自动：预计训练十分钟以上时启用；已用 Liger 内核时不必编译。',
    },
    recover_from_oom: {
      label: '内存不足时继续',
      help: '改为一次计算更少的样本；批大小和结果不变。仅适用于单进程训练。',
    },
  },
}
