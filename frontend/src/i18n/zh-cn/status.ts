/** 各种状态的名称。 */
export default {
  job: {
    PENDING: '排队中',
    PREPARING: '准备中',
    RUNNING: '运行中',
    STOPPING: '正在停止…',
    COMPLETED: '已完成',
    FAILED: '失败',
    STOPPED: '已停止',
  },
  dataset: {
    importing: '导入中',
    ready: '可用',
    blocked: '已拦截',
    needs_mapping: '待指定字段',
    failed: '失败',
  },
  model: {
    downloading: '下载中',
    converting: '转换中',
    ready: '可用',
    failed: '失败',
  },
  stream: {
    connecting: '连接中',
    live: '实时',
    reconnecting: '正在重连',
    closed: '已结束',
  },
}
