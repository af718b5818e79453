"""What is wrong with an import, row by row: where, why, and what to do, in Chinese and English."""

from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One bad place. `row` counts as the spreadsheet does, from 1; 0 and "" mean the whole sheet or file."""

    sheet: str
    row: int
    column: str
    reason: str
    message_zh: str
    message_en: str
    what_to_do_zh: str
    what_to_do_en: str


# reason: (message zh, message en, what to do zh, what to do en)
_TEXTS = {
    "workbook_missing": (
        "未找到工作簿 bank.xlsx。",
        "There is no workbook bank.xlsx.",
        "请将工作簿命名为 bank.xlsx 并与 photos、fingers 文件夹放在一起。",
        "Name the workbook bank.xlsx and put it beside the folders photos and fingers.",
    ),
    "workbook_unreadable": (
        "工作簿无法读取。",
        "The workbook cannot be read.",
        "请用电子表格软件打开并另存为 .xlsx。",
        "Open it in a spreadsheet program and save it as .xlsx.",
    ),
    "archive_unreadable": (
        "压缩包无法读取。",
        "The archive cannot be read.",
        "请重新打包为未加密的 .zip。",
        "Pack it again as a plain .zip.",
    ),
    "archive_swells": (
        "压缩包内的文件合计过大。",
        "The archive's files are too large together.",
        "请拆分后分次导入，同一文件不要多次引用。",
        "Split it and import the parts one after the other; do not name one file again and again.",
    ),
    "too_large": (
        "内容过大(上限 {limit})。",
        "The content is too large (limit {limit}).",
        "请拆分后分次导入。",
        "Split it and import the parts one after the other.",
    ),
    "unknown_sheet": (
        "未知的工作表 {value}。",
        "There is no sheet called {value} here.",
        "请使用以下名称之一：{allowed}。",
        "Use one of these names: {allowed}.",
    ),
    "empty_workbook": (
        "工作簿没有数据。",
        "The workbook has no rows.",
        "请填写后再导入。",
        "Fill it in and import it again.",
    ),
    "column_missing": (
        "缺少列 {column}。",
        "The column {column} is missing.",
        "请在第一行加入该列标题。",
        "Add this heading to the first row.",
    ),
    "column_unknown": (
        "未知的列 {value}。",
        "There is no column called {value} here.",
        "请使用以下列：{allowed}。",
        "Use these columns: {allowed}.",
    ),
    "column_twice": (
        "列 {column} 重复。",
        "The column {column} stands there twice.",
        "请删除其中一列。",
        "Delete one of them.",
    ),
    "formula": (
        "单元格含有公式。",
        "The cell holds a formula.",
        "请粘贴为数值。",
        "Paste it as a value.",
    ),
    "cell_error": (
        "单元格是错误值 {value}。",
        "The cell holds the error {value}.",
        "请更正单元格。",
        "Correct the cell.",
    ),
    "value_missing": ("缺少值。", "The value is missing.", "请填写。", "Fill it in."),
    "text_expected": (
        "应为文本，单元格却是数字或日期。",
        "A text is expected, the cell holds a number or date.",
        "请将该列格式设为文本后重新输入，以免丢失前导零。",
        "Format the column as text and type the value again, so that no leading zero is lost.",
    ),
    "text_bad": (
        "文本过长或含有不允许的字符。",
        "The text is too long or has characters that are not allowed.",
        "最多 {limit} 个字符，不得含控制字符，不得以 = + - @ 开头。",
        "At most {limit} characters, no control characters, none of = + - @ in front.",
    ),
    "code_bad": (
        "编号 {value} 格式不正确。",
        "{value} is no proper code.",
        "仅使用字母、数字和 . _ -，最多 40 个字符。",
        "Use letters, digits and . _ - alone, at most 40 of them.",
    ),
    "choice_bad": (
        "{value} 不是允许的值。",
        "{value} is not one of the choices.",
        "请使用：{allowed}。",
        "Use one of: {allowed}.",
    ),
    "date_bad": (
        "{value} 不是日期。",
        "{value} is no date.",
        "请写成 2026-12-31。",
        "Write it like 2026-12-31.",
    ),
    "hex_bad": (
        "{value} 不是 {lengths} 字节的十六进制数。",
        "{value} is not {lengths} bytes in hexadecimal.",
        "请从读写器重新复制，单元格格式为文本。",
        "Copy it again from the reader into a text cell.",
    ),
    "number_bad": (
        "{value} 不是 {least} 至 {most} 的整数。",
        "{value} is not a whole number from {least} to {most}.",
        "请更正。",
        "Correct it.",
    ),
    "file_name_bad": (
        "文件名 {value} 不允许。",
        "The file name {value} is not allowed.",
        "只写文件名，文件放在 {folder} 文件夹内。",
        "Give the bare name of a file in the folder {folder}.",
    ),
    "file_missing": (
        "文件夹 {folder} 中没有文件 {value}。",
        "There is no file {value} in the folder {folder}.",
        "请补上文件或更正文件名。",
        "Add the file or correct its name.",
    ),
    "file_too_large": (
        "文件 {value} 过大(上限 {limit})。",
        "The file {value} is too large (limit {limit}).",
        "请缩小后重试。",
        "Make it smaller.",
    ),
    "photo_bad": (
        "文件 {value} 不是可用的照片。",
        "The file {value} is no usable photo.",
        "请使用边长 {least} 至 {most} 像素的 JPEG 或 PNG。",
        "Use a JPEG or PNG of {least} to {most} pixels a side.",
    ),
    "template_bad": (
        "文件 {value} 不是指纹模板。",
        "The file {value} is no fingerprint template.",
        "请从采集系统重新导出。",
        "Export it again from the collection system.",
    ),
    "twice": (
        "{value} 与第 {other} 行重复。",
        "{value} is already in row {other}.",
        "请删除或更正其中一行。",
        "Delete or correct one of the rows.",
    ),
    "taken": (
        "{value} 已属于 {other}。",
        "{value} already belongs to {other}.",
        "请核对，两者不能共用。",
        "Check which is right; two cannot share it.",
    ),
    "unknown_reference": (
        "没有 {what} {value}。",
        "There is no {what} {value}.",
        "请先在工作表 {what} 中加入，或更正编号。",
        "Add it to the sheet {what} or correct the code.",
    ),
    "removed": (
        "{value} 已被删除，不能再次使用。",
        "{value} was removed and is not used again.",
        "请使用新的编号。",
        "Use a new one.",
    ),
    "needs": (
        "角色 {role} 必须填写 {column}。",
        "The role {role} needs {column}.",
        "请填写。",
        "Fill it in.",
    ),
    "must_not": (
        "角色 {role} 不得填写 {column}。",
        "The role {role} must not have {column}.",
        "请清空该单元格。",
        "Empty the cell.",
    ),
}
REASONS = frozenset(_TEXTS)


def finding(reason: str, sheet: str = "", row: int = 0, column: str = "", **values: Any) -> Finding:
    """The finding with its texts; `values` fill what they name, cut to a readable length."""
    short = {name: str(value)[:60] for name, value in values.items()} | {"column": column}
    texts = (text.format(**short) for text in _TEXTS[reason])
    return Finding(sheet, row, column, reason, *texts)
