/** 通知渠道的拒绝原因。 */
export const codes = {
  UnreadableAddress: '无法向这个地址发送消息。请填写 https 地址，或选择一种服务并填写所需内容。',
  ServiceNotAllowed: '不能用 {{scheme}}:// 发送消息。请选择列出的服务，或使用 https:// 的 Webhook。',
  AddressOptionNotAllowed: '地址中不能使用选项“{{option}}”，请去掉它。',
  InsecureAddress:
    '使用 {{scheme}}:// 时，消息和密码可能在途中被读取。请改用 {{safer}}://，或请运维人员把该服务器加入 EASYTUNE_PRIVATE_TARGETS。',
  PrivateAddress:
    '{{host}} 位于服务器的内部网络。运维人员可以把它连同端口加入 EASYTUNE_PRIVATE_TARGETS 来放行。',
  AddressNotUnderstood: '该服务无法识别这个地址：缺少某个部分或格式不对。请与服务页面上显示的地址核对。',
  AddressUnreadable: '地址是用另一把密钥保存的，已无法读取。请重新填写。',
  TooManyTargets_other: '已有 {{count, number}} 个通知渠道，达到上限。请先删除一个。',
  TargetChecksBusy: '正在测试其他渠道，请几秒后重试。',
  NoticeTargetNotFound: '该通知渠道不存在（或已删除）。',
}
