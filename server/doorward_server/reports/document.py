"""Draws a handover report as a PDF of one or two pages, Chinese with English beside it (S5)."""

import string
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fpdf import FPDF
from fpdf.fonts import FontFace

from doorward_server.reports.content import Report
from doorward_server.reports.fonts import cut_out

_DARK = (15, 76, 74)
_SOFT = (90, 100, 98)
_FOOT = "Doorward  ·  {}  ·  {}"
_HEADING_AND_ROWS = 30  # mm: a heading stands with the first rows of its table
_HEADINGS = FontFace(emphasis="BOLD", fill_color=(232, 239, 237))


def draw(report: Report) -> bytes:
    """The report as PDF."""
    letters = _Letters()
    _write(letters, report)
    with TemporaryDirectory(prefix="doorward-") as folder:
        page = _Page(report.printed, "".join(sorted(letters.used)), Path(folder))
        page.add_page()
        _write(page, report)
        return bytes(page.output())


def _write(page: "_Page | _Letters", report: Report) -> None:
    page.heading(f"款箱交接报告  Handover report  No. {report.number}", "  ·  ".join(report.site))
    page.facts(
        [
            ("车辆 Vehicle", report.plate),
            ("计划时间 Window", _window(report.window)),
            ("到达 Arrived", _full(report.started)),
            ("完成 Closed", _full(report.closed)),
            ("任务单版本 Order version", str(report.order_version)),
            ("单元最后联网 Unit's last contact", _full(report.last_contact)),
            ("单元时钟 Unit's clock", "不可靠 unsure" if report.clock_unsure else "可靠 sure"),
            ("比对放行 Entry approved by", f"{report.approved_by}  ({' '.join(report.approved_where)})"),
            ("现场人数 Head count", "" if report.head_count is None else str(report.head_count)),
        ]
    )
    page.table(
        "押运组 Crew",
        ("姓名 Name", "工号 Staff number", "指纹时间 Finger"),
        [(name, number, _time(moment)) for name, number, moment in report.crew],
    )
    page.table(
        f"款箱 Boxes  ({sum(read for _, read in report.boxes)} / {len(report.boxes)})",
        ("箱号 Number", "已读 Read"),
        [(number, "是 yes" if read else "否 NO") for number, read in report.boxes],
    )
    page.table(
        "签认 Closed by a finger each",
        ("角色 Role", "姓名 Name", "工号 Staff number", "时间 Time", "指纹模块 Sensor"),
        [
            (" ".join(signer.role), signer.name, signer.staff_number, _time(signer.time), signer.sensor)
            for signer in report.signers
        ],
    )
    if report.head is not None:
        epoch, size, root = report.head
        page.note(f"日志 Journal: epoch {epoch}, size {size}, root {root}")


class _Letters:
    """Stands in for the page to find out which characters a report needs."""

    def __init__(self) -> None:
        self.used = {*string.printable, *_FOOT}

    def _note(self, *texts: Any) -> None:
        for text in texts:
            if isinstance(text, str):
                self.used |= {*text}
            else:
                self._note(*text)

    heading = facts = table = note = _note


class _Page(FPDF):
    """A4 with the one CJK font; the foot says when it was made and which page it is."""

    def __init__(self, made: datetime, characters: str, folder: Path) -> None:
        """`folder` keeps the fonts of these `characters` until the page has been put out."""
        super().__init__(format="A4")
        self.set_creation_date(made)
        self.set_title("Doorward handover report")
        for bold, style in ((False, ""), (True, "B")):
            self.add_font("cjk", style, cut_out(characters, bold, folder))
        self._made = made
        self.set_margins(16, 16)
        self.set_auto_page_break(auto=True, margin=20)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("cjk", "", 8)
        self.set_text_color(*_SOFT)
        self.cell(0, 6, _FOOT.format(_full(self._made), self.page_no()), align="C")

    def heading(self, text: str, below: str) -> None:
        self.set_font("cjk", "B", 16)
        self.set_text_color(*_DARK)
        self.cell(0, 10, text, new_x="LMARGIN", new_y="NEXT")
        self.set_font("cjk", "", 12)
        self.set_text_color(0)
        self.multi_cell(0, 7, below, align="L", new_x="LMARGIN", new_y="NEXT")
        self.set_draw_color(*_DARK)
        self.line(self.l_margin, self.get_y() + 1, self.w - self.r_margin, self.get_y() + 1)
        self.ln(4)

    def facts(self, rows: list[tuple[str, str]]) -> None:
        for label, value in rows:
            self.set_font("cjk", "", 9)
            self.set_text_color(*_SOFT)
            self.cell(62, 6.2, label)
            self.set_font("cjk", "", 10.5)
            self.set_text_color(0)
            self.multi_cell(0, 6.2, value, new_x="LMARGIN", new_y="NEXT")

    def table(self, heading: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:  # type: ignore[override]
        if self.will_page_break(_HEADING_AND_ROWS):
            self.add_page()
        self.ln(3)
        self.set_font("cjk", "B", 11)
        self.set_text_color(*_DARK)
        self.cell(0, 7, heading, new_x="LMARGIN", new_y="NEXT")
        self.set_font("cjk", "", 9.5)
        self.set_text_color(0)
        self.set_draw_color(190, 200, 198)
        with super().table(headings_style=_HEADINGS, line_height=6, text_align="LEFT") as drawn:
            drawn.row(columns)
            for row in rows:
                drawn.row(row)

    def note(self, text: str) -> None:
        self.ln(4)
        self.set_font("cjk", "", 8)
        self.set_text_color(*_SOFT)
        self.multi_cell(0, 4.5, text)


def _full(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %z}" if moment else ""


def _time(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S}" if moment else ""


def _window(moments: tuple[datetime, datetime] | None) -> str:
    return f"{moments[0]:%Y-%m-%d %H:%M} – {moments[1]:%H:%M}" if moments else ""
