/** What can be done with a run, and with one that failed. */
export default {
  actions: {
    withdraw: 'Take out of the queue',
    stopSave: 'Stop and keep checkpoint',
    stopDiscard: 'Stop without saving',
    moreStops: 'More ways to stop',
    discardTitle: 'Stop “{{name}}” without saving?',
    discardDetail: 'What was learnt since the last checkpoint is lost.',
    resume: 'Resume from checkpoint',
    restart: 'Start again from the beginning',
    restartTitle: 'Start “{{name}}” again from the beginning?',
    restartDetail:
      'What it has learnt up to step {{step}} is given up, with the checkpoint it could be resumed from.',
    clone: 'Clone with changes',
    tryIt: 'Try it in the playground',
    downloadModel: 'Download model',
    downloadSpec: 'Download configuration (YAML)',
    rename: 'Rename',
    more: 'More actions',
    deleteConsequences:
      'Its log, metrics, checkpoints and the tuned model are removed from disk. This can not be undone.',
  },
  failure: {
    resumeSmaller: 'Resume with micro-batch {{size}}: same result, slower',
    restartSmaller: 'Start again with micro-batch {{size}}: same result, slower',
    resumeRecomputing: 'Resume with gradient checkpointing: same result, slower',
    restartRecomputing: 'Start again with gradient checkpointing: same result, slower',
    showLog: 'Show the log',
  },
}
