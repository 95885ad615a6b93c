"""What errors say in Chinese, by code; English is the error's own docstring and advice."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # the engine and its models
    "lianyi": ("平台出了问题。", "请再试一次；仍不行时把错误码和请求编号告诉协调员。"),
    "not_found": ("没有这项内容，或您无权查看。", "请核对地址；应当能看时请联系协调员开通。"),
    "stale": ("这项内容刚被别人改过。", "请刷新看到最新状态，再做仍需要的修改。"),
    "busy": ("该病例正在被另一个请求修改。", "稍等片刻再提交同样的内容，不会重复执行。"),
    "refused": ("这个请求现在不能执行。", "请按提示改正后再提交。"),
    "model_stuck": ("病例不能走这一步：流程模型没有对应的去向。", "没有改动任何内容。请把编号和步骤告诉协调员，模型需要修正。"),
    "model_broken": ("流程模型不能执行。", "请对模型运行 lianyi lint，按提示修正。"),
    "model_unreadable": ("这个文件不是可读的 BPMN 模型。", "请从编辑器重新导出 BPMN 2.0 XML，不含 DOCTYPE，小于 2 MB。"),
    "bundle_unreadable": ("保存的模型包读不出来。", "请从备份恢复该模型版本，内容与格式不符。"),
    "lint_refused": ("模型有错误，没有发布。", "请改正每一条错误级提示；提示写明文件、行、元素和做法。"),
    "state_unreadable": ("这个版本读不出病例保存的状态。", "请用写入它的版本运行，或报告病例编号；没有改动任何内容。"),
    "feel": ("FEEL 表达式不能使用。", "请改正指出位置的表达式；docs/models.md 列出可用的写法。"),
    "dmn": ("决策文件不能使用。", "请改正指出的元素；lianyi lint 会列出全部问题。"),
    "dmn_no_rule": ("决策表没有一行符合这组输入。", "请为这组输入补一行，或在末尾加一行兜底。"),
    "dmn_several_rules": ("只许一行符合，却有几行都符合。", "请让这几行互斥，或改用 FIRST。"),
    # people and logins
    "forbidden": ("您没有做这件事的权限。", "如果工作需要，请联系协调员核对您的角色。"),
    "bad_credentials": ("工号或密码不对。", "请重新输入；多次失败请联系信息科重设密码。"),
    "too_many_logins": ("密码错误次数太多。", "请 10 分钟后再试，或联系信息科重设密码。"),
    "login_ended": ("登录已结束。", "请重新登录，草稿都已保存。"),
    "login_locked": ("一段时间没有操作，屏幕已锁定。", "输入密码即可继续，写到一半的内容没有丢失。"),
    "name_taken": ("这个名称已被使用。", "请换一个工号或代码。"),
    "weak_password": ("密码太短。", "至少 12 个字符，几个词连在一起就很好。"),
    "unknown_role": ("没有这个角色。", "请从角色列表中选择。"),
    # tasks and forms
    "form": ("表单内容还不能提交。", "请改正标出的字段后再提交。"),
    "form_invalid": ("表单还没有填完。", "请改正标出的字段再提交，草稿已保留。"),
    "already_claimed": ("这项任务已由他人领取。", "请选别的任务，或请协调员改派。"),
    "not_claimed": ("您还没有领取这项任务。", "请先领取，再提交。"),
    "task_done": ("这项任务已经提交过了。", "请刷新列表；您写的内容已存入病例。"),
    "nothing_to_do": ("没有等您处理的任务。", "请稍后再来，列表会自己更新。"),
    "needs_reauth": ("这一步要再输一次密码。", "请输入密码，确认签名的是您本人。"),
    "separated": ("您在本病例中做过的事使您不能做这一步。", "请交给同事：作者、审核者与评分者必须是三个人。"),
    "draft_too_large": ("草稿太大。", "请把长材料放进附件。"),
    # cases, files, quality, reports
    "case_closed": ("病例已关闭。", "已关闭的病例不再打开；请新建申请或补充说明。"),
    "wrong_state": ("病例不能从现在的状态转到这个状态。", "请刷新病例，可能有人已经推进了它。"),
    "needs_reason": ("紧急授权需要原因类别和您自己的说明。", "请用至少十个字说明为何不能等；72 小时内会复核。"),
    "no_access": ("您不能终止这个病例。", "请找申请医生或申请医院医务科。"),
    "signed": ("报告已签发，申请不能再撤回。", "请联系出具医院补充更正，原报告会一并保留。"),
    "published": ("结果已发布，病例不能再终止。", "请联系出具医院补充更正，并说明错在哪里。"),
    "file_too_large": ("文件太大。", "每个文件不超过 50 MB；影像请走 DICOM。"),
    "file_refused": ("这里不收这种文件。", "请用 PDF、PNG 或 JPEG，内容须与扩展名相符。"),
    "file_empty": ("文件是空的。", "请在电脑上打开看一下，可能没有保存或没有复制完整。"),
    "quality_blocked": ("仍有一项任何人都不能放行的核对没有通过。", "请要求补充或退回申请；未通过的各行写明原因。"),
    "may_not_override": ("您的角色不能放行未通过的核对。", "请交给受邀医院的前质控人员，或要求补充。"),
    "not_author": ("只有作者能签发自己的报告。", "请由作者签发，或另写一份报告。"),
    "text_changed": ("现在的文字不是审核过的那一版。", "请打开最新一版，重新审核。"),
    "not_movable": ("这场会诊已不在预订中，或已开始，不能改约。", "请刷新病例：进行中的会诊先结束，没有时间的在“安排时间”任务里定。"),
    "not_linked": ("这条登记本来就是单独的。", "没有可撤销的内容，请刷新。"),
    "no_identifier": ("登记须有来源系统的编号和姓名。", "请让来源系统发送带发放机构的 PID-3 和 PID-5。"),
    # lines to the hospitals, and what goes over them
    "integration": ("外部系统没有完成请求。", "请在消息中心查看该对端，然后重试。"),
    "no_endpoint": ("该医院没有这种线路。", "请在消息中心的线路里填写地址，填好后会自动发送。"),
    "bad_authority": ("这条线路的证书机构不能使用。", "请填写签发对方证书的机构证书全文（PEM，从 BEGIN 到 END CERTIFICATE），不要带私钥。"),
    "line_open": ("到该医院的线路连续失败，暂时休息。", "会自动再试；一直不通时请检查对方系统。"),
    "not_delivered": ("申请医院还没有收下报告。", "会自动再试；消息中心可看到对方的答复。"),
    "dicom_refused": ("这个对象不是可用的 DICOM。", "请从设备重新发送；仍被拒绝时请导出为普通 DICOM 文件。"),
    "hl7_refused": ("这条消息不是可用的 HL7 v2。", "请修正发送方接口：以 MSH 和分隔符开头，每段以 CR 结尾。"),
    "hl7_not_built": ("没能按标准组成消息。", "没有发出任何内容；请把病例编号告诉平台维护者。"),
    "hl7_frame_too_long": ("一帧消息超过了可收的长度。", "请以引用方式发送文件，或拆分消息。"),
    "sms_refused": ("短信服务商不会送达这条短信。", "请核对对方手机号，并先用电话通知。"),
    "sms_busy": ("短信服务商现在没有收下，肯定没有发出。", "会自动再试；一直不行时请查看服务商账户。"),
    "sms_unknown": ("没有收到服务商的答复，短信可能发出也可能没有。", "再发之前请先问对方是否收到。"),
    # images, files in the store, documents
    "blob_missing": ("存储里没有这份内容。", "请检查存储目录及其镜像，从备份恢复。"),
    "blob_damaged": ("存储里的内容与放进去时不同。", "请勿使用这一份；从镜像或备份恢复。"),
    "store_full": ("存储空间不够。", "请清出空间；这个对象没有留下任何部分。"),
    "not_bit_exact": ("压缩后的像素解不回原样。", "原件已保留并继续使用；请把 SOP Instance UID 告诉平台维护者。"),
    "undecodable": ("这个对象的像素解不出来。", "请发送医院重新导出，不压缩或用 JPEG 2000。"),
    "not_drawable": ("这个对象画不出图像。", "请在发送医院的系统里查看，并请其导出为普通 DICOM。"),
    "pdf_fonts": ("没有安装文档用的中文字体。", "请运行一次 make build；安装包自带字体。"),
    "pdf_not_typeset": ("文档没能排版。", "请把病例编号告诉平台维护者。"),
    # starting the product
    "bad_setting": ("有一项设置不对。", "请改正指出的环境变量后重新启动；文档列出全部名称。"),
    "not_safe": ("没有 TLS 时不监听本机以外的地址。", "请给出 --cert 和 --key，或用 lianyi certs 生成，或只监听 127.0.0.1。"),
    "certificate_exists": ("这个名称的证书或私钥已经存在。", "请用 --name 换名称或用 --out 换目录；--force 会替换（使用它的程序须重新启动）。"),
    "certificate_name": ("这不能作为证书文件的名称。", "请用字母、数字、点、- 和 _；ca 是机构自己的名称，不能用。"),
    "change_refused": ("改正的取值读不懂。", "每行写一个“变量 = 取值”，取值用 FEEL：文字加引号，true、false 或数字。"),
    "port_taken": ("这个端口已被别的程序占用。", "请结束该程序，或用 --web-port、--dicom-port、--mllp-port 换一个端口。"),
}  # fmt: skip

HTTP: Final[dict[str, tuple[str, str, str, str]]] = {
    "400": ("请求不完整或格式不对。", "请返回上一页再试。", "The request is incomplete or malformed.", "Go back and try again."),
    "401": ("需要登录。", "请登录后再试。", "You have to log in.", "Log in and try again."),
    "403": ("您没有权限。", "如果工作需要，请联系协调员。", "You may not do this.", "Ask the coordinator if your work needs it."),
    "404": (
        "没有这个页面，或您无权查看。", "请从左侧导航进入。",
        "There is no such page, or you may not see it.", "Use the navigation on the left.",
    ),
    "405": ("这个地址不接受这种请求。", "请从页面上的按钮操作。", "This address does not take such a request.", "Use the buttons of the page."),
    "413": (
        "上传的内容太大。", "请分几次上传，每次不超过 512 MB。",
        "The upload is too large.", "Send it in several parts of at most 512 MB.",
    ),
    "422": ("内容不符合要求。", "请改正标出的字段再发送。", "The content is not as it has to be.", "Correct the named fields and send it again."),
    "500": (
        "平台出了意外问题。", "已保存的内容没有丢失。请再试一次；仍不行时把请求编号告诉管理员。",
        "Something unexpected went wrong.", "What was saved is not lost. Try again, or tell the administrator the request number.",
    ),
    "csrf": (
        "页面已过期，没有保存。", "请返回并刷新页面，再提交一次。",
        "The page has expired; nothing was saved.", "Go back, reload the page and send it again.",
    ),
    "rate": (
        "尝试太频繁。", "请等一分钟再试。",
        "Too many attempts.", "Wait a minute and try again.",
    ),
    "other": ("请求没有完成。", "请返回上一页再试。", "The request could not be completed.", "Go back and try again."),
}  # fmt: skip

DELIVERIES: Final[dict[str, str]] = {
    "tls_untrusted": "对方的证书不是这条线路所填机构签发的；请填写签发它的机构证书。",
    "tls_name": "对方的证书写的是别的名称；请按证书上的名称填写地址，或请对方为这个地址重做证书。",
    "tls_expired": "对方的证书今天无效；请对方更新证书，并核对双方机器的时间。",
    "tls_refused": "对方没有接受我们的证书，或没有收到；请用对方认可的机构签发的 --cert 和 --key 运行 worker。",
    "tls_none": "这个端口没有 TLS 应答；请填写对方的 TLS 端口，或在这条线路上取消 TLS。",
    "tls_closed": "对方没有应答就断开了 TLS 连接；它要看证书时，请给 worker 加 --cert 和 --key。",
    "tls_failed": "没有建立 TLS 连接：版本或算法不合；对方须支持 TLS 1.2 或 1.3。",
    "tls_identity": "我们自己的证书或私钥不能使用；请检查 worker 的 --cert 和 --key。",
    "unreachable": "连不上对方。",
    "timeout": "对方没有及时应答。",
    "closed": "对方没有应答就断开了。",
    "rejected": "对方拒绝了连接；请核对双方的 AE 名称。",
    "no_context": "对方不收这种对象。",
}  # fmt: skip
"""What a failed delivery is called in Chinese, by its code; English is the outcome's own sentence."""

PROBLEMS: Final[dict[str, str]] = {
    "MSH-10 is empty": "MSH-10 是空的",
    "MSH-10 was used before with another text": "MSH-10 曾用于另一份内容",
    "MSH-4 names no hospital of the alliance": "MSH-4 不是联盟内的医院",
}
"""What is wrong with a message that came, in Chinese; English is the message centre's own sentence."""
