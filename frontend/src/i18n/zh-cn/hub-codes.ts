/** 获取社区数据集时可能出现的问题，以及下一步怎么做。 */
export const codes = {
  BadRevision: '“{{revision}}”不是有效的分支、标签或提交号。',
  DatasetHubOffline: '当前为离线模式，请改为上传文件。',
  DescriptionTooLarge: '请求内容超过了允许的 {{megabytes}} MB。',
  NotFromHub: '这个数据集不是从社区获取的，没有其他子集、划分或版本可选。',
  choose_split: '有多个划分：{{choices}}。',
  choose_subset: '这个数据集有多个子集：{{choices}}。',
  hub_answer: '无法理解 {{endpoint}} 对“{{reference}}”的回复。',
  hub_busy: '从这里发往 {{endpoint}} 的请求过多，被暂时限制。',
  hub_damaged_file: '{{file}} 两次下载的内容都与社区公布的不一致。',
  hub_gated: '“{{reference}}”需要先接受使用条款。',
  hub_no_data_files: '“{{reference}}”中没有可以读取的数据文件。',
  hub_not_found: '在 {{endpoint}} 上没有名为“{{reference}}”的公开数据集。',
  hub_script_only: '“{{reference}}”要靠自带的程序（{{script}}）加载，这里不会运行这类程序。',
  hub_too_large: '文件共 {{megabytes}} MB，这里最多允许 {{allowed}} MB。',
  hub_unreachable: '无法连接 {{endpoint}}，或连接中断。',
  no_such_split: '没有划分“{{split}}”，可选：{{choices}}。',
  no_such_subset: '没有子集“{{subset}}”，可选：{{choices}}。',
}

export const hints = {
  choose_split: '请选择其中一个。',
  choose_subset: '请选择其中一个。',
  hub_answer: '请检查设置中的社区地址，或换一个数据集。',
  hub_busy: '请等几分钟后重试，已下载的部分会保留。',
  hub_damaged_file: '内容可能正在更新，也可能是网络问题，请稍后重试。',
  hub_gated: '请在其页面上接受条款，自行下载后把文件上传到这里。',
  hub_no_data_files:
    '支持 JSON、JSON 行、CSV、TSV、文本和 Parquet，也支持 .gz 或 .zip。请换一个数据集，或上传文件。',
  hub_not_found: '请检查 ID 和版本的写法。私有数据集需由所有者下载后上传到这里。',
  hub_script_only: '请在别处把数据导出，例如导出为 JSON 行，再上传该文件。',
  hub_too_large: '请选择较小的子集或划分，或请管理员提高上传上限。',
  hub_unreachable: '请检查网络后重试，已下载的部分会保留。',
  no_such_split: '请从中选择一个。',
  no_such_subset: '请从中选择一个。',
}
