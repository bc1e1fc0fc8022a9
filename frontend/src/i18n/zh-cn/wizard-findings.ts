/** 服务器对训练方案的发现，以及推荐某个值的理由；以代码为键。 */
export default {
  findings: {
    output_name_taken: '你已有名为“{{name}}”的模型，请换一个名称。',
    dataset_not_found: '这个数据集已不存在，请另选一个。',
    dataset_version_not_found: '“{{name}}”没有（或已删除）这个版本，请另选一个。',
    dataset_split_not_found: '“{{name}}”的版本 {{version}} 没有子集“{{split}}”，请另选一个。',
    dataset_importing: '“{{name}}”仍在导入，请等到可用。',
    dataset_blocked: '“{{name}}”丢弃的行数超过允许的数量。请打开它，修正文件或放宽限制。',
    dataset_needs_mapping: '“{{name}}”没有说明各列的含义，请打开并指定。',
    dataset_failed: '“{{name}}”无法读取，请打开查看原因。',
    dataset_empty: '“{{name}}”没有可以学习的行。',
    record_type_mismatch: '“{{name}}”的数据种类不适合这种训练，请另选数据集。',
    model_not_found: '这个模型已不存在，请另选一个。',
    model_downloading: '“{{name}}”仍在下载，请等到可用。',
    model_converting: '“{{name}}”仍在转换，请等到可用。',
    model_failed: '“{{name}}”未能准备好，请打开查看原因。',
    model_not_trainable: '“{{name}}”不能在这里训练，请选择对话或指令模型、BERT 一类的编码器，或 T5 一类的编码器–解码器。',
    model_continues_no_text:
      '“{{name}}”不能续写文本，而这种训练需要；请选择对话或指令模型，或改用它做文本分类。',
    model_is_no_encoder_decoder:
      '“{{name}}”不是编码器–解码器模型（如 T5、BART、Marian），而这种训练需要；请另选模型。',
    model_scores_no_text:
      '“{{name}}”不能加上给文本打分的输出层；请选择 BERT 一类的编码器，或能续写文本的模型。',
    model_folder_gone: '这个模型的文件夹已不存在；请放回原处，或另选一个。',
    model_program_not_allowed: '这个模型自带的程序不允许执行：文件已更改，或尚未获得允许。请联系管理员，或另选一个模型。',
    memory_setting_that_fits: '采用这个设置时约需 {{needed_bytes}}。',
    bad_chat_template: '这个模板无法读取：{{reason}}',
    muon_on_adapters:
      'Muon 适用于全参数和冻结微调的矩阵；适配器请用 AdamW。',
    quantised_shards:
      '量化后的权重不能分片；请选择完整副本（DDP），或改用 LoRA。',
    sharded_optimizer:
      '分片的权重请用 AdamW 训练。',
    idle_processes:
      '进程数多于每步的样本数（{{batch_size}}）；请最多选择 {{batch_size}} 个进程，或增大批大小。',
    too_many_processes:
      '进程数超过了硬件所能承受的数量；最多选择 {{most}}。',
    no_chat_template:
      '“{{name}}”没有对话模板，不知道对话该怎么写。请选择经过指令微调的模型（名称中常带 Instruct 或 Chat），或在高级设置中填写模板。',
    max_length_too_long: '“{{name}}”最多读取 {{context_length}} 个 token，请减小最大长度。',
    validation_is_training: '这正是用来训练的数据集，请另选一个或不指定。',
    few_rows_other: '“{{name}}”只有 {{count, number}} 行，模型很难学到东西。',
    device_missing: '这台机器没有这种设备，请选择自动或 CPU。',
    disk_too_small: '这次训练约写入 {{needed_bytes}}，可用空间为 {{available_bytes}}。请先腾出空间。',
    language_mismatch:
      '“{{name}}”只学过英语：在这份数据上主要学到形式，而不是含义。多语言模型更合适。',
    rows_will_be_cut: '最长的行约有 {{longest_tokens}} 个 token，会在 {{max_length}} 处截断。',
    most_rows_will_be_cut:
      '约 {{percent}}% 的行超过 {{max_length}} 个 token，结尾（即回答所在之处）会被截去；整个回答都被截去的行会使训练终止。请调大“最大长度”。',
    outputs_will_be_cut: '最长的输出约有 {{longest_tokens}} 个 token，会在 {{max_target_length}} 处截断。',
    validation_overlaps:
      '验证数据的 {{rows, number}} 行中有 {{shared, number}} 行也在训练数据里，其中 {{exact, number}} 行一字不差：它们看不出模型学到了什么。请用“加工”把它们去掉。',
    validation_shares_prompts:
      '验证数据的 {{rows, number}} 个问题中有 {{same_prompt, number}} 个也在训练数据里，只是回答不同。',
    overlap_unknown: '验证数据是否有行也在训练数据里，目前还不知道：数据仍在检查中。',
    approximate_sizes: '这里不认识这个模型系列，大小为近似值。',
    time_not_measured: '这台机器还没有测量过训练速度，时间只是粗略估计。',
    memory_tight: '约需 {{needed_bytes}}，空闲 {{available_bytes}}。',
    memory_will_not_fit:
      '内存放不下：约需 {{needed_bytes}}，可用 {{available_bytes}}。',
    sizes_unknown: '模型没有说明自身大小，无法估算内存和时间。',
  },
  reasons: {
    learning_rate_lora_by_model_size: '适合对 {{num_parameters}} 参数的模型做 LoRA。',
    learning_rate_full_by_model_size: '适合对 {{num_parameters}} 参数的模型做全参数微调。',
    learning_rate_freeze_by_model_size: '适合对 {{num_parameters}} 参数的模型微调最后几层。',
    learning_rate_of_preferences: '约为学习回答时的十分之一：偏好要慢慢学。',
    small_classifier_is_tuned_whole: '这么小的模型适合全参数训练：代价小，学得最好。',
    epochs_by_rows_and_complexity: '适合 {{num_rows}} 行数据和要学内容的多少。',
    batch_size_by_rows: '{{num_rows}} 行数据仍有足够的步数。',
    max_length_by_row_length: '放得下你的数据：平均约 {{mean_tokens}} 个 token。',
    max_target_length_by_outputs: '放得下你最长的输出。',
    warmup_longer_in_short_runs: '适合约 {{steps}} 步的训练。',
    evaluation_enough_rows: '足够用来衡量，大部分仍用于学习。',
    too_few_rows: '行数太少，不留出。',
    stop_when_no_better: '不再变好时结束。',
    rank_by_complexity: '取决于要学内容的多少。',
    alpha_twice_rank: '秩的两倍。',
  },
}
