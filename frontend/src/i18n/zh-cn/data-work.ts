/** 后台数据处理失败的原因。`{{work}}` 是当时在做的事，`{{again}}` 是重新开始的办法。 */
export const codes = {
  data_work_crashed: '{{work}}意外中断。',
  data_work_disk_full: '磁盘已满，{{work}}无法继续。',
  data_work_failed: '{{work}}失败：{{reason}}',
  data_work_hung: '{{work}}长时间没有进展，已被终止。',
  data_work_interrupted: '机器重启，{{work}}被中断。',
  data_work_late: '{{work}}未能及时启动。',
  data_work_lost: '{{work}}被外部终止。',
  data_work_not_started: '{{work}}无法启动。',
  data_work_nothing_to_read: '{{work}}时无法读取数据行：{{reason}}',
  data_work_out_of_memory: '本机剩余内存不足，{{work}}无法完成。',
  fetch_stopped: '数据集的获取在完成之前被中止。',
}

export const hints = {
  data_work_crashed:
    '{{again}}如果再次中断，可能是本机内存不足；服务器上该作业文件夹中的日志有详细信息。',
  data_work_disk_full: '请先在数据文件夹所在的磁盘上腾出空间。{{again}}',
  data_work_failed: '{{again}}如果再次失败，请检查数据文件夹所在的磁盘。',
  data_work_hung: '{{again}}如果再次停滞，请检查数据文件夹所在的磁盘。',
  data_work_interrupted: '{{again}}',
  data_work_late: '机器可能过于繁忙，请等它空闲一些。{{again}}',
  data_work_lost: '{{again}}如果再次发生，请检查数据文件夹及其所在的磁盘。',
  data_work_not_started: '请运行“easytune doctor”，并修复它指出的问题。{{again}}',
  data_work_nothing_to_read: '{{again}}如果文件很大，拆成几个文件会更容易读取。',
  data_work_out_of_memory: '请先释放一些内存。{{again}}',
  fetch_stopped: '请重新获取，或删除该数据集。',
}

/** 当时在做的事。 */
export const works = {
  import: '导入',
  fetch: '数据集获取',
  preparation: '数据准备',
  examination: '数据检查',
}

export const again = {
  import: '请重新导入该文件，或删除该数据集。',
  fetch: '请重新获取，或删除该数据集。',
  preparation: '请重新准备数据集。',
  examination: '请重新检查；数据集可以照常使用。',
}
