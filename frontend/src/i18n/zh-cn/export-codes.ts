/** 服务器关于导出的拒绝原因。 */
export default {
  ExportNotFound: '该导出已不存在，或不属于你。',
  ExportNotReady: '该导出完成后才能下载。',
  ExportGone: '数据目录中已没有该导出的文件，请重新导出。',
  FormatUnavailable: '该模型无法这样导出：{{reason}}',
  TooManyExports_other: '该训练有 {{count, number}} 个导出在等待或运行。请等待其中一个结束，或删除一个。',
}
