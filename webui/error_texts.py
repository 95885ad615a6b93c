"""What errors say in Chinese, by code; English is the error's own docstring and advice."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "lianyi": ("平台出了问题。", "请再试一次；仍不行时把错误码和请求编号告诉协调员。"),
    "not_found": ("没有这项内容，或您无权查看。", "请核对地址；应当能看时请联系协调员开通。"),
    "stale": ("这项内容刚被别人改过。", "请刷新看到最新状态，再做仍需要的修改。"),
    "busy": ("该病例正在被另一个请求修改。", "稍等片刻再提交同样的内容，不会重复执行。"),
    "refused": ("这个请求现在不能执行。", "请按提示改正后再提交。"),
    "forbidden": ("您没有做这件事的权限。", "如果工作需要，请联系协调员核对您的角色。"),
    "bad_credentials": ("工号或密码不对。", "请重新输入；多次失败请联系信息科重设密码。"),
    "login_ended": ("登录已结束。", "请重新登录，草稿都已保存。"),
    "login_locked": ("一段时间没有操作，屏幕已锁定。", "输入密码即可继续，写到一半的内容没有丢失。"),
    "name_taken": ("这个名称已被使用。", "请换一个工号或代码。"),
    "weak_password": ("密码太短。", "至少 12 个字符，几个词连在一起就很好。"),
    "unknown_role": ("没有这个角色。", "请从角色列表中选择。"),
    "form": ("表单内容还不能提交。", "请改正标出的字段后再提交。"),
    "integration": ("外部系统没有完成请求。", "请在消息中心查看该对端，然后重试。"),
}

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
