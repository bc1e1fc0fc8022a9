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
      '{{samples}} samples with {{tokens}} tokens to train on, {{trained_tokens}} of them learnt; {{evaluation_samples}} samples held out.',
    rows_truncated:
      '{{rows}} rows are longer than the maximum length and were cut, by {{tokens}} tokens together (line {{lines}}).',
    rows_split:
      'The chat template rewrites earlier turns: {{rows}} conversations became several samples, one for each turn.',
    generation_prompt_differs:
      'The chat template begins an answer differently from the conversations that are learnt; answers may need a template of your own.',
    packing_off: 'This model can not be packed exactly: samples are computed one by one.',
    early_stopped: 'The evaluation loss has not fallen {{patience}} times: training ends here.',
    non_finite_loss:
      'Loss or gradient of step {{step}} is not a finite number; its update was left out.',
    resumed: 'Continues after step {{step}}.',
    resumed_with_other_versions:
      'Libraries have changed since the checkpoint was written: the run goes on, but not bit for bit as it would have.',
    checkpoint_skipped:
      'A damaged checkpoint was passed over: {{problem}}. Continues from step {{step}}.',
  },
}
