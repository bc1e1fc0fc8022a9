/** 每个页面外围的框架。 */
export default {
  name: 'EasyTune',
  home: 'EasyTune：回到总览',
  skip: '跳到正文',
  navigation: '主导航',
  menu: '菜单',
  collapse: '收起导航',
  expand: '展开导航',
  nav: {
    overview: '总览',
    datasets: '数据',
    models: '模型',
    tasks: '训练',
    playground: '对话试用',
    system: '系统',
  },
  theme: {
    now: '主题：{{choice}}',
    system: '跟随系统',
    light: '浅色',
    dark: '深色',
  },
  languageNow: '{{short}} – 语言：{{name}}',
  account: {
    label: '账号',
    signOut: '退出登录',
    role: {
      administrator: '管理员',
      member: '成员',
      viewer: '访客',
    },
  },
  jump: {
    open: '搜索或跳转…',
    title: '跳转到',
    placeholder: '页面、训练、数据集、模型、操作',
    nothing: '没有找到“{{query}}”。',
    hint: '↑↓ 选择 · Enter 打开 · Esc 关闭',
    results_other: '{{count}} 条结果',
    groups: {
      actions: '操作',
      pages: '页面',
      tasks: '训练',
      datasets: '数据集',
      models: '模型',
    },
    actions: {
      newTask: '新建训练',
      upload: '上传数据',
      addModel: '添加模型',
    },
  },
  ring: {
    idle: '当前没有运行中的任务',
    running_other: '{{count}} 个任务运行中',
    queued_other: '{{count}} 个排队中',
    all: '全部训练',
  },
  offline: {
    title: '服务器没有响应。',
    detail: '当前显示的内容可能已过时。服务器恢复后，页面会自动继续。',
    retry: '立即重试',
  },
  insecure: '此页面未加密：请仅在可信网络中使用。',
  expired: {
    title: '请重新登录',
    detail: '登录已过期，当前页面会原样保留。',
  },
  notFound: {
    title: '页面不存在',
    detail: '地址可能有误，或者原有内容已被删除。',
    home: '回到总览',
  },
  notLoaded: {
    title: '页面无法加载',
    detail: '服务器没有响应。恢复后页面会自动加载。',
  },
  crashed: {
    title: '页面出错了',
    detail: '数据不受影响。请刷新页面；如果再次出现，请反馈下面这一行信息。',
    reload: '刷新页面',
  },
}
