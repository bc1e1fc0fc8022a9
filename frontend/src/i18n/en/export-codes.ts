/** What the server's refusals around exports mean. */
export default {
  ExportNotFound: 'This export is gone, or it is not yours.',
  ExportNotReady: 'This export can be downloaded when it is completed.',
  ExportGone: 'The files of this export are gone from the data folder. Export again.',
  FormatUnavailable: 'This model can not be exported so: {{reason}}',
  TooManyExports_one: '{{count, number}} export of this training waits or runs. Wait for it to end, or delete it.',
  TooManyExports_other:
    '{{count, number}} exports of this training wait or run. Wait for one to end, or delete one.',
}
