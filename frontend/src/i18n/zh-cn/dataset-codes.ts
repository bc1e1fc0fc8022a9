/** 导出或准备版本时可能出现的问题、原因和下一步。 */
export const codes = {
  CanNotBeExpressed_other:
    '{{format}} 格式无法表示其中 {{count, number}} 行。其中 {{reason_count, number}} 行：{{reason}}（第 {{rows}} 行等）。请选择其他格式；JSON 行格式可以表示所有行。',
  CanNotBePrepared: '这些步骤无法用于这些数据行：{{reason}}',
  empty_part: '“{{split}}”部分会没有数据行：一共只有 {{num_rows, number}} 行可分。',
  mixture_too_large: '混合后会有 {{rows, number}} 行，而不同的行只有 {{different, number}} 行。',
  no_row_left: '第 {{step}} 步之后，{{rows_in, number}} 行中一行也不剩。',
  no_such_field: '没有任何一行带有“{{field}}”。',
  no_time: '“{{field}}”既不是数字也不是 ISO 日期：{{value}}（第 {{row, number}} 行）。',
  no_time_added: '“{{field}}”既不是数字也不是 ISO 日期：{{value}}（在并入的一行中）。',
  no_usable_row_left:
    '第 {{step}} 步之后，{{rows_in, number}} 行中一行也不剩：有 {{dropped, number}} 行在这一步之后无法使用。',
  preparation_disk_full: '磁盘空间不足，无法准备数据集。',
  preparation_failed: '数据集准备失败：{{reason}}。',
  preparation_out_of_memory: '内存不足，无法准备数据集。',
  source_gone: '要从中取行的某个版本已不存在。',
  too_many_classes: '“{{field}}”有超过 {{most, number}} 种不同的值。',
}

export const hints = {
  empty_part: '请调大这一部分的比例，或使用更多数据行。',
  mixture_too_large:
    '请减少行数或调整权重：最多 {{most, number}} 行，且每行平均最多重复 {{repeats, number}} 次。',
  no_row_left: '请修改这一步：没有数据行的版本无法使用。',
  no_such_field: '请选择记录之外的附带列。',
  no_time: '请先用“筛选”步骤去掉这样的行，或选择其他列。',
  no_time_added: '请先用“筛选”步骤去掉这样的行，或选择其他列。',
  no_usable_row_left: '请修改这一步：没有数据行的版本无法使用。',
  preparation_disk_full: '请在数据文件夹所在的磁盘上腾出空间，然后重新准备数据集。',
  preparation_failed: '请检查数据文件夹所在的磁盘，然后重新准备数据集。',
  preparation_out_of_memory: '请释放一些内存，然后重新准备数据集。',
  preparation_stopped: '请重新准备数据集。',
  source_gone: '请选择其他来源，然后重新准备数据集。',
  too_many_classes: '请选择类别较少的字段，或改为按组或随机划分。',
}

/** 某一行中，所选格式无法容纳的内容。 */
export const reasons = {
  beside_tool_calls: '带工具调用的轮次不能再包含其他内容',
  field_of_turn: '该格式没有位置存放轮次中的“{{field}}”',
  ids_of_tool_calls: '该格式没有位置存放工具调用的 ID',
  large_label: '有标签的数字过大，列中存不下',
  not_alternating: '提问和回答没有交替出现',
  one_exchange: '该格式的每一行只能有一问一答',
  other_label: '有标签的类型与前面各行的不同',
  several_labels: '一个单元格放不下多个标签',
  several_questions: '该格式的偏好数据只能有一个提问',
  several_turns: '该格式的回答只能有一个轮次',
  text_without_turns: '纯文本没有对话轮次',
  tool_calls: '该格式没有位置存放工具调用',
  tools: '该格式没有位置存放工具定义',
  verdicts_of_steps: '该格式没有位置存放对单个步骤的评判',
}
