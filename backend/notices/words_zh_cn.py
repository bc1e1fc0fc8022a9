"""发往外部的消息的简体中文文本，与界面用语保持一致。"""

from backend.notices.kinds import NoticeKind

TITLES = {
    NoticeKind.TASK_COMPLETED: "训练已完成：{name}",
    NoticeKind.TASK_FAILED: "训练失败：{name}",
    NoticeKind.TASK_STOPPED: "训练被系统中止：{name}",
    NoticeKind.TASK_STALLED: "训练长时间没有动静：{name}",
    NoticeKind.DATASET_READY: "数据集已就绪：{name}",
    NoticeKind.DATASET_BLOCKED: "数据集需要您处理：{name}",
    NoticeKind.DATASET_FAILED: "数据集处理失败：{name}",
    NoticeKind.MODEL_READY: "模型已就绪：{name}",
    NoticeKind.MODEL_FAILED: "模型添加失败：{name}",
    NoticeKind.DISK_LOW: "磁盘空间不足：{name}",
}
REASONS = {
    NoticeKind.TASK_STOPPED: "训练进程被 EasyTune 以外的程序结束，进度已保存。",
    NoticeKind.TASK_STALLED: "训练进程仍在，但比平时更久没有任何输出。",
    NoticeKind.DATASET_BLOCKED: "需要您先作出选择，才能使用。",
    NoticeKind.DISK_LOW: "训练在保存检查点时可能失败。",
}
NEXT = {
    NoticeKind.TASK_COMPLETED: "请到“对话试用”体验，或下载结果。",
    NoticeKind.TASK_FAILED: "请打开该训练的页面，查看日志和处理办法。",
    NoticeKind.TASK_STOPPED: "请从最后一个检查点继续。",
    NoticeKind.TASK_STALLED: "请查看日志；如果一直没有动静，系统会自动结束它。",
    NoticeKind.DATASET_READY: "请查看导入报告，然后用它训练。",
    NoticeKind.DATASET_BLOCKED: "请打开它的页面作出选择。",
    NoticeKind.DATASET_FAILED: "请打开它的页面查看处理办法。",
    NoticeKind.MODEL_READY: "现在可以用它开始训练。",
    NoticeKind.MODEL_FAILED: "请打开模型页面查看处理办法。",
    NoticeKind.DISK_LOW: "请删除不再需要的训练、模型和数据，或扩大磁盘。",
}
TOOK = "用时 {duration}。"
LOSS = "最后的损失为 {loss}。"
FREE = "数据目录所在磁盘仅剩 {size} GB。"
HOURS, MINUTES, SECONDS = "{h} 小时 {m} 分钟", "{m} 分 {s} 秒", "{s} 秒"
TEST_TITLE = "来自 EasyTune 的测试消息"
TEST_TEXT = "消息可以送达这里，无需任何操作。"
# 没有对应中文的错误，附上服务器原文。
FOREIGN = "服务器原文：{message}"

CODES = {
    "out_of_memory": "内存或显存不足。",
    "host_out_of_memory": "本机内存不足。",
    "nan_loss": "损失变成了无穷大或非数值。",
    "bad_dataset": "这份数据无法用于训练。",
    "bad_spec": "本次训练的设置互相冲突。",
    "model_not_found": "找不到模型，或无法加载。",
    "disk_full": "磁盘已满。",
    "engine_crashed": "训练进程意外结束。",
    "engine_hung": "训练进程失去响应，已被终止。",
    "launch_timeout": "训练进程没有及时启动。",
    "checkpoint_corrupt": "检查点已损坏。",
    "supervisor_lost": "无法得知训练进程是如何结束的。",
    "host_rebooted": "训练期间机器重启。",
    "dependency": "缺少所需的软件包，或版本不匹配。",
    "internal": "程序出现了内部错误。",
    "import_stopped": "导入在完成之前被中止。",
    "download_stopped": "在完成之前被中止。",
    "too_many_dropped_rows": "无法使用的行数超过了允许的上限。",
}
HINTS = {
    "out_of_memory": "请减小最大长度或微批大小，或换更小的模型。",
    "host_out_of_memory": "请减小最大长度或微批大小，或换更小的模型。",
    "nan_loss": "请减小学习率或增加预热，并检查数据中是否有异常的行。",
    "bad_dataset": "请查看提示中的行，修正后重新开始。",
    "bad_spec": "请“复制并修改”，更正提示中的值。",
    "model_not_found": "请重新添加模型，然后重新开始训练。",
    "disk_full": "请腾出磁盘空间，然后继续训练。",
    "engine_crashed": "请查看日志的最后几行；常见原因是内存不足。",
    "engine_hung": "请从最后一个检查点继续，或从头开始。",
    "launch_timeout": "主机可能过于繁忙，请空闲时重新开始。",
    "checkpoint_corrupt": "请从头开始，而不是继续。",
    "supervisor_lost": "请从最后一个检查点继续，或从头开始。",
    "host_rebooted": "请从最后一个检查点继续，或从头开始。",
    "dependency": "请运行“easytune doctor”，修复它指出的问题后重新开始。",
    "internal": "日志中有出错位置，请连同版本信息一起报告。",
    "import_stopped": "请重新导入该文件，或删除该数据集。",
    "download_stopped": "请重试，或删除该模型。",
    "too_many_dropped_rows": "请修正导入报告中列出的行后重新上传，或去掉这些行。",
}
