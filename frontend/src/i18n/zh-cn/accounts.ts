/** 初始设置与登录。 */
export default {
  username: '用户名',
  usernameRule: '2 到 64 个字母、数字或 . @ - _',
  password: '密码',
  showPassword: '显示密码',
  required: '此项必填。',
  signIn: {
    title: '登录',
    purpose: '在自己的硬件上微调语言模型。',
    submit: '登录',
  },
  setup: {
    title: '初始设置 EasyTune',
    purpose: '创建第一个管理员。系统没有默认密码。',
    token: '设置令牌',
    tokenHelp: '服务器启动时会打印该令牌，也可以在数据目录的 setup_token 文件中找到。',
    submit: '创建管理员',
  },
  rules: {
    length: '至少 {{min}} 个字符',
    notTheName: '不是用户名稍加改动',
    varied: '至少五个不同的字符',
    met: '已满足',
    unmet: '尚未满足',
    failed: '密码还没有满足下面的全部要求。',
  },
}
