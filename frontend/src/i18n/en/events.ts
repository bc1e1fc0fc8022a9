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
      '{{count, number}} row is longer than the maximum length and was cut (line {{lines}}; tokens cut: {{tokens}}).',
    rows_truncated_other:
      '{{count, number}} rows are longer than the maximum length and were cut (line {{lines}}; tokens cut: {{tokens}}).',
    rows_left_out_one:
      '{{count, number}} row is left out: its whole answer lies beyond the maximum length (line {{lines}}).',
    rows_left_out_other:
      '{{count, number}} rows are left out: their whole answer lies beyond the maximum length (line {{lines}}).',
    rows_split_one:
      'The chat template rewrites earlier turns: {{count, number}} conversation became several samples, one for each turn.',
    rows_split_other:
      'The chat template rewrites earlier turns: {{count, number}} conversations became several samples, one for each turn.',
    generation_prompt_differs:
      'The chat template begins an answer differently from the conversations that are learnt; answers may need a template of your own.',
    packing_off: 'This model can not be packed exactly: samples are computed one by one.',
    early_stopped_one: 'The evaluation loss has not fallen: training ends here.',
    early_stopped_other:
      'The evaluation loss has not fallen {{count, number}} times in a row: training ends here.',
    non_finite_loss:
      'Loss or gradient of step {{step}} is not a finite number; its update was left out.',
    resumed: 'Continues after step {{step}}.',
    resumed_with_other_versions:
      'Libraries have changed since the checkpoint was written: the run goes on, but not bit for bit as it would have.',
    checkpoint_skipped:
      'A damaged checkpoint was passed over: {{problem}}. Continues from step {{step}}.',
  },
}
