/** 一次运行中发生的事：按代码给出，带上相应的数字。 */
export default {
  linesAndMore_other: '{{lines}} 等，另有 {{count, number}} 处',
  transition: {
    PENDING: '正在排队。',
    PREPARING: '正在准备运行。',
    RUNNING: '训练开始。',
    STOPPING: '已要求停止。',
    COMPLETED: '已完成。',
    FAILED: '失败。',
    STOPPED: '已停止。',
  },
  started: {
    started: '计算设备：{{device}}（{{dtype}}）。',
  },
  checkpoint: {
    saved: '已保存第 {{step}} 步的检查点。',
  },
  notice: {
    data_ready:
      '用于训练的样本 {{samples}} 个，共 {{tokens}} 个 token，其中 {{trained_tokens}} 个参与学习；留出 {{evaluation_samples}} 个样本。',
    rows_truncated_other:
      '{{count, number}} 行超过最大长度而被截断，共截去 {{tokens}} 个 token，其中 {{answers}} 行的回答被截断（行号：{{lines}}）。',
    rows_left_out_other:
      '{{count, number}} 行因整个回答超出最大长度而未使用（行号：{{lines}}）。',
    validation_rows_truncated_other:
      '验证集中 {{count, number}} 行超过最大长度而被截断，共截去 {{tokens}} 个 token，其中 {{answers}} 行的回答被截断（行号：{{lines}}）。',
    validation_rows_left_out_other:
      '验证集中 {{count, number}} 行因整个回答超出最大长度而未使用（行号：{{lines}}）。',
    rows_split_other:
      '对话模板会改写之前的轮次：{{count, number}} 个对话拆成了多个样本，每轮一个。',
    first_answers_unlearnt_other:
      '{{count, number}} 个对话以回答开头，而在对话模板写出的文本中无法单独分出这个回答：这些首个回答只作为上文，不参与学习（行号：{{lines}}）。',
    generation_prompt_differs:
      '对话模板开始回答的方式与所学对话不同；回答时可能需要自己的模板。',
    packing_off: '这个模型无法精确拼接样本，改为逐个计算。',
    early_stopped_other: '评估损失连续 {{count, number}} 次没有下降，训练到此结束。',
    context_shorter:
      '模型最多读取 {{context}} 个 token，因此以此为最大长度，而不是所要求的 {{max_length}}。',
    computes_less_at_once:
      '内存不足：此后一次最多计算 {{tokens}} 个 token。批大小和结果不变。',
    memory_probed: '试算了最长的样本（{{tokens}} 个 token）：内存 {{needed_bytes}}，可用 {{available_bytes}}。',
    packing_off_lengths:
      '有样本超过 {{tokens}} 个 token，而这个模型对更长的文本使用另一种位置编码，因此逐个计算样本。',
    knobs_idle: '以下设置对本次训练不起作用：{{knobs}}。',
    nothing_held_out: '没有留出用于评估的行，以下设置不起作用：{{knobs}}。',
    strategy_idle:
      '本次训练只有一个进程，它持有完整模型：分片方式（FSDP）不起作用。要把权重分布到多个进程上，请选择多个进程。',
    chat_template_idle:
      '该目标直接学习原文：所指定的对话模板不起作用，也不会随结果保存。请去掉它。',
    knob_for_gpus: '“{{knob}}”只用于 GPU，在此设备上未启用。',
    gradient_checkpointing_off: '未启用梯度检查点：这个模型不能重新计算各层。',
    compile_off_sharded: '未启用编译：权重分布在多个进程上，各层由分片拼成。',
    compile_off_failed: '未启用编译：{{reason}}',
    samples_failed: '无法生成样例回答：{{reason}}。训练不受影响。',
    samples_at_the_end: '权重分布在多个进程上：样例回答只随结果给出。',
    one_question:
      '所有回答都针对同一个问题，而该方法需要与其他问题的回答比较，这里由其他行的回答代替。请加入其他问题的行。',
    fewer_layers: '模型只有 {{layers}} 层，因此全部参与训练；所要求的是 {{wanted}} 层。',
    judged_alike: '所有回答的评价都相同，无从区分好坏。请加入评价相反的行。',
    classes_unbalanced:
      '各类别数量悬殊：最多的有 {{most}} 行，“{{rarest}}”只有 {{fewest}} 行。准确率会显得偏高，请看 F1，或增加稀有类别的行。',
    labels_read: '标签类型：{{kind}}。类别数：{{classes}}（{{names}}）。',
    non_finite_loss: '第 {{step}} 步的损失或梯度不是有限数，已跳过这次更新。如果继续出现，请降低学习率或选择 float32。',
    state_not_saved: '第 {{step}} 步没有保存检查点：评估损失或权重不是有限数。如果一直如此，请停止训练，降低学习率后重新开始。',
    result_damaged:
      '原定作为结果的检查点已损坏：{{problem}}。改用最后的状态（第 {{step}} 步）作为结果。请检查磁盘是否有错误；若要得到原定的状态，请重新训练。',
    resumed: '从第 {{step}} 步之后继续。',
    resumed_with_other_versions: '保存检查点之后库的版本有变化：训练会继续，但不再逐位一致。',
    resumed_with_other_computation:
      '检查点之前的计算方式为 {{before}}，现在为 {{now}}：训练会继续，但不再逐位一致。',
    ledger_rebuilt:
      '已用样本的清单已损坏，已按样本顺序重新写出。训练不受影响；请检查磁盘是否有错误。',
    checkpoint_skipped: '跳过了损坏的检查点：{{problem}}。从第 {{step}} 步继续。',
  },
}
