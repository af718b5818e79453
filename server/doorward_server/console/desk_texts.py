"""The texts of the pages about logins and imports, Chinese and English side by side; part of texts.TEXTS."""

DESK_TEXTS = {
    # One's own login
    "account": ("我的账号", "My login"),
    "change_password": ("修改密码", "Change the password"),
    "current_password": ("当前密码", "Current password"),
    "new_password": ("新密码", "New password"),
    "new_password_again": ("再输入一次新密码", "New password again"),
    "password_help": (
        "至少 {least} 个字符，几个词连用便于记忆。修改后须重新登录。",
        "At least {least} characters; several words are easy to remember. You log in again afterwards.",
    ),
    "password_changed": ("密码已修改，请用新密码登录。", "The password is changed: log in with the new one."),
    # Users
    "users": ("用户", "Users"),
    "new_user": ("新建用户", "New user"),
    "login_help": ("小写字母、数字和 . _ -", "Lower-case letters, digits, and . _ -"),
    "site_if_any": ("网点（专员、金库管理员）", "Site (officers, keepers)"),
    "person_if_any": ("对应人员的工号", "Staff number of the person"),
    "first_half": ("密码前一半", "First half of the password"),
    "first_half_help": (
        "至少 {least} 个字符，只告知用户本人；后一半由批准人设定并告知。",
        "At least {least} characters. Tell the user alone; who approves chooses and tells the second half.",
    ),
    "ask_for_user": ("申请新建", "Ask for the user"),
    "reset_password": ("重置密码", "Reset the password"),
    "ask_for_password": ("申请重置", "Ask for the reset"),
    "remove_user": ("删除用户", "Remove the user"),
    "remove_user_help": (
        "立即退出登录，不能恢复；用户名不再使用。",
        "All logins end at once and for good; the login name is not given again.",
    ),
    "without_password": ("尚未设置密码", "no password yet"),
    "own_login": ("您自己", "you"),
    "typed_login": ("用户名“{typed}”不符合要求。", '"{typed}" is no login name.'),
    "typed_name": ("请填写姓名。", "The name is missing."),
    # People
    "people": ("人员", "People"),
    "name_or_number": ("姓名或工号", "Name or staff number"),
    "no_fingers": ("没有指纹", "no fingers"),
    "permit_until": ("证件至 {day}", "permit until {day}"),
    "permit_lapsed": ("证件已于 {day} 到期", "permit lapsed on {day}"),
    "remove_person": ("删除人员", "Remove"),
    "remove_person_help": (
        "立即生效，不能恢复：各网点不再放行，照片和指纹随密钥销毁。",
        "At once and for good: no door opens any more, photo and fingers are destroyed with their key.",
    ),
    "nobody_found": ("没有符合条件的人员。", "Nobody found."),
    # The journal of decisions
    "audit": ("审计日志", "Journal"),
    "audit_title": ("决策日志", "Journal of decisions"),
    "decision_kind": ("类别", "Kind"),
    "all_kinds": ("全部", "All kinds"),
    "subject": ("对象", "About"),
    "subject_help": ("例如 run:7、user:3", "such as run:7 or user:3"),
    "show": ("查看", "Show"),
    "check_journal": ("校验全部日志", "Check the whole journal"),
    "journal_whole": ("共 {size} 条，全部完好。", "All entries are whole, all heads fit: {size}."),
    "journal_broken": ("共 {size} 条，{count} 处异常！", "Of {size} entries, what does not fit: {count}!"),
    "content_deleted": (
        "内容已按规定删除，存在证明保留。",
        "Its content was deleted; its proof is kept.",
    ),
    "the_server": ("服务器", "the server"),
    "nothing_decided": ("没有符合条件的记录。", "No such entry."),
    "newest_entries": ("回到最新", "Newest"),
    "older_entries": ("更早的记录", "Older"),
    # Imports
    "import": ("批量导入", "Import"),
    "import_help": (
        "将 bank.xlsx 与 photos、fingers 文件夹打包为 .zip（最大 {largest} MB）。有一处错误就不写入任何内容；"
        "检查通过后由另一位同事批准。",
        "Pack bank.xlsx with the folders photos and fingers into a .zip of at most {largest} MB. One bad "
        "row, and nothing is written; what is good waits for a colleague who approves.",
    ),
    "empty_workbook": ("下载空白工作簿", "Download an empty workbook"),
    "archive": ("压缩包", "Archive"),
    "check_only": ("只检查", "Only check"),
    "check_and_ask": ("检查并申请导入", "Check and ask for the import"),
    "import_findings": ("须更正的内容", "What has to be corrected"),
    "import_findings_more": ("还有 {count} 处未列出。", "{count} more are not listed."),
    "import_good": ("没有问题，将导入：{counts}。", "Nothing stands against it. It holds: {counts}."),
    "sheet": ("工作表", "Sheet"),
    "row": ("行", "Row"),
    "column": ("列", "Column"),
    "what_is_wrong": ("问题", "What is wrong"),
    "what_to_do": ("处理方法", "What to do"),
}
