/** What happened to a run: said by code, with the figures that came along. */
export default {
  linesAndMore_one: '{{lines}} and {{count, number}} more',
  linesAndMore_other: '{{lines}} and {{count, number}} more',
  transition: {
    PENDING: 'Waits in the queue.',
    PREPARING: 'The run is being prepared.',
    RUNNING: 'Training has begun.',
    STOPPING: 'Was asked to stop.',
    COMPLETED: 'Completed.',
    FAILED: 'Failed.',
    STOPPED: 'Stopped.',
  },
  started: {
    started: 'Computes on {{device}} ({{dtype}}).',
  },
  checkpoint: {
    saved: 'Checkpoint at step {{step}} saved.',
  },
  notice: {
    data_ready:
      'Samples to train on: {{samples}}, with tokens: {{tokens}} (learnt: {{trained_tokens}}). Samples held out: {{evaluation_samples}}.',
    rows_truncated_one:
      '{{count, number}} row is longer than the maximum length and was cut (line {{lines}}; tokens cut: {{tokens}}; answers cut: {{answers}}).',
    rows_truncated_other:
      '{{count, number}} rows are longer than the maximum length and were cut (line {{lines}}; tokens cut: {{tokens}}; answers cut: {{answers}}).',
    rows_left_out_one:
      '{{count, number}} row is left out: its whole answer lies beyond the maximum length (line {{lines}}).',
    rows_left_out_other:
      '{{count, number}} rows are left out: their whole answer lies beyond the maximum length (line {{lines}}).',
    validation_rows_truncated_one:
      '{{count, number}} row of the validation data is longer than the maximum length and was cut (line {{lines}}; tokens cut: {{tokens}}; answers cut: {{answers}}).',
    validation_rows_truncated_other:
      '{{count, number}} rows of the validation data are longer than the maximum length and were cut (line {{lines}}; tokens cut: {{tokens}}; answers cut: {{answers}}).',
    validation_rows_left_out_one:
      '{{count, number}} row of the validation data is left out: its whole answer lies beyond the maximum length (line {{lines}}).',
    validation_rows_left_out_other:
      '{{count, number}} rows of the validation data are left out: their whole answer lies beyond the maximum length (line {{lines}}).',
    rows_split_one:
      'The chat template rewrites earlier turns: {{count, number}} conversation became several samples, one for each turn.',
    rows_split_other:
      'The chat template rewrites earlier turns: {{count, number}} conversations became several samples, one for each turn.',
    first_answers_unlearnt_one:
      '{{count, number}} conversation begins with an answer that can not be told apart in what the chat template writes: this first answer is only read, not learnt (line {{lines}}).',
    first_answers_unlearnt_other:
      '{{count, number}} conversations begin with an answer that can not be told apart in what the chat template writes: these first answers are only read, not learnt (line {{lines}}).',
    generation_prompt_differs:
      'The chat template begins an answer differently from the conversations that are learnt; answers may need a template of your own.',
    packing_off: 'This model can not be packed exactly: samples are computed one by one.',
    early_stopped_one: 'The evaluation loss has not fallen: training ends here.',
    early_stopped_other:
      'The evaluation loss has not fallen {{count, number}} times in a row: training ends here.',
    context_shorter:
      'The model reads at most {{context}} tokens, so that is the longest sample, not the {{max_length}} that were asked for.',
    computes_less_at_once:
      'Memory was short: at most {{tokens}} tokens are computed at once from here on. Batch and result stay the same.',
    memory_probed:
      'The longest samples were tried ({{tokens}} tokens): {{needed_bytes}} of {{available_bytes}} memory.',
    packing_off_lengths:
      'Samples are computed one by one: some are longer than {{tokens}} tokens, and this model places the words of longer texts in another way.',
    knobs_idle: 'These settings do nothing here: {{knobs}}.',
    nothing_held_out:
      'No rows are held out to measure on, so these settings do nothing: {{knobs}}.',
    strategy_idle:
      'One process computes this run and holds the whole model: sharing by shards (FSDP) does nothing. Ask for several processes to have the weights spread over them.',
    chat_template_idle:
      'This objective learns texts as they are: the chat template that was given does nothing, and is not saved with the result. Leave it out.',
    knob_for_gpus: '“{{knob}}” is for GPUs and was left off on this device.',
    gradient_checkpointing_off:
      'Gradient checkpointing was left off: this model can not compute its layers again.',
    compile_off_sharded:
      'Compilation was left off: the weights are spread over the processes, and layers are put together from slices.',
    compile_off_failed: 'Compilation was left off: {{reason}}',
    samples_failed: 'Sample answers could not be generated: {{reason}}. The training is not affected.',
    samples_at_the_end:
      'The weights are spread over the processes: sample answers come with the result only.',
    one_question:
      'All answers belong to the same question, and this method compares them with answers to other questions: those of the other rows stand in for them. Add rows with other questions.',
    fewer_layers: 'The model has {{layers}} layers, so all of them learn; {{wanted}} were asked for.',
    judged_alike:
      'All answers have the same mark: nothing shows what sets good and bad answers apart. Add rows with the other mark.',
    classes_unbalanced:
      'The classes are very unequal: the largest has {{most}} rows to learn from, “{{rarest}}” has {{fewest}}. Accuracy will look better than the classifier is: watch F1, or add rows of the rare classes.',
    labels_read: 'Labels were read as: {{kind}}. Classes: {{classes}} ({{names}}).',
    non_finite_loss:
      'Loss or gradient of step {{step}} is not a finite number; its update was left out. If more steps follow, lower the learning rate, or choose float32.',
    state_not_saved:
      'No checkpoint of step {{step}} is written: its evaluation loss or its weights are not finite numbers. If this goes on, stop the run and start it again with a lower learning rate.',
    result_damaged:
      'The checkpoint that was to be the result is damaged: {{problem}}. The last state becomes the result, that of step {{step}}. Look whether the disk has errors; to have the other state, run it again.',
    resumed: 'Continues after step {{step}}.',
    resumed_with_other_versions:
      'Libraries have changed since the checkpoint was written: the run goes on, but not bit for bit as it would have.',
    resumed_with_other_computation:
      'The run was computed with {{before}} up to the checkpoint, and is now with {{now}}: it goes on, but not bit for bit as it would have.',
    ledger_rebuilt:
      'The list of the samples consumed so far was damaged, and is written anew from their order. The training is not affected; look whether the disk has errors.',
    checkpoint_skipped:
      'A damaged checkpoint was passed over: {{problem}}. Continues from step {{step}}.',
  },
}
