/** What the states of things are called. */
export default {
  job: {
    PENDING: 'Queued',
    PREPARING: 'Preparing',
    RUNNING: 'Running',
    STOPPING: 'Stopping…',
    COMPLETED: 'Completed',
    FAILED: 'Failed',
    STOPPED: 'Stopped',
  },
  dataset: {
    importing: 'Importing',
    ready: 'Ready',
    blocked: 'Blocked',
    needs_mapping: 'Needs mapping',
    failed: 'Failed',
  },
  model: {
    downloading: 'Downloading',
    converting: 'Converting',
    ready: 'Ready',
    failed: 'Failed',
  },
  stream: {
    connecting: 'Connecting',
    live: 'Live',
    reconnecting: 'Reconnecting',
    closed: 'Ended',
  },
}
