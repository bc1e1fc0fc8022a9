/** English: the source of truth for what the app says. Every other language has the same keys. */
import accounts from './en/accounts'
import datasets from './en/datasets'
import errors from './en/errors'
import events from './en/events'
import exported from './en/exports'
import general from './en/general'
import hubs from './en/hubs'
import knobs from './en/knobs'
import logs from './en/logs'
import models from './en/models'
import noticeTargets from './en/notice-targets'
import notices from './en/notices'
import overview from './en/overview'
import playground from './en/playground'
import shell from './en/shell'
import status from './en/status'
import system from './en/system'
import tasks from './en/tasks'
import wizard from './en/wizard'

export default {
  accounts,
  datasets,
  errors,
  events,
  exports: exported,
  general,
  hubs,
  knobs,
  logs,
  models,
  noticeTargets,
  notices,
  overview,
  playground,
  shell,
  status,
  system,
  tasks,
  wizard,
}
