/** 可以对训练执行的操作，以及失败之后的选择。 */
export default {
  actions: {
    withdraw: '移出队列',
    stopSave: '停止并保留检查点',
    stopDiscard: '停止且不保存',
    moreStops: '其他停止方式',
    discardTitle: '停止“{{name}}”而不保存？',
    discardDetail: '上一个检查点之后学到的内容会丢失。',
    resume: '从检查点继续',
    restart: '从头重新开始',
    restartTitle: '从头重新开始“{{name}}”？',
    restartDetail: '到第 {{step}} 步为止学到的内容和可供继续的检查点都会被放弃。',
    clone: '复制并修改',
    tryIt: '去对话试用',
    downloadModel: '下载模型',
    downloadSpec: '下载配置（YAML）',
    rename: '重命名',
    more: '更多操作',
    deleteConsequences: '日志、指标、检查点和训练出的模型都会从磁盘删除，无法恢复。',
  },
  failure: {
    resumeSmaller: '以微批大小 {{size}} 继续：结果不变，速度较慢',
    restartSmaller: '以微批大小 {{size}} 重新开始：结果不变，速度较慢',
    resumeRecomputing: '启用梯度检查点并继续：结果不变，速度较慢',
    restartRecomputing: '启用梯度检查点并重新开始：结果不变，速度较慢',
    showLog: '查看日志',
  },
}
