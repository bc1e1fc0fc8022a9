/** 简体中文：与英文的键完全一致。 */
import type { Translation } from './translation'
import accounts from './zh-cn/accounts'
import datasets from './zh-cn/datasets'
import errors from './zh-cn/errors'
import events from './zh-cn/events'
import exported from './zh-cn/exports'
import general from './zh-cn/general'
import hubs from './zh-cn/hubs'
import knobs from './zh-cn/knobs'
import logs from './zh-cn/logs'
import models from './zh-cn/models'
import noticeTargets from './zh-cn/notice-targets'
import notices from './zh-cn/notices'
import overview from './zh-cn/overview'
import playground from './zh-cn/playground'
import shell from './zh-cn/shell'
import status from './zh-cn/status'
import system from './zh-cn/system'
import tasks from './zh-cn/tasks'
import wizard from './zh-cn/wizard'

const zhCN: Translation = {
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

export default zhCN
