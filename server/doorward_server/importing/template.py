"""An empty workbook with every sheet and heading that an import knows (importing/columns.py)."""

import io

from doorward_server.importing.columns import SHEETS

_TEXT = "@"  # a number format that keeps digits as they are typed: codes and tags are no numbers
_ROWS = 200


def empty_workbook() -> bytes:
    """The workbook. Headings that must be filled in are bold; cells take what is typed as text."""
    from openpyxl import Workbook  # the server starts without it
    from openpyxl.styles import Font

    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, columns in SHEETS.items():
        sheet = workbook.create_sheet(name)
        sheet.append([column.name for column in columns])
        sheet.freeze_panes = "A2"
        for number, column in enumerate(columns, 1):
            heading = sheet.cell(1, number)
            heading.font = Font(bold=column.required)
            sheet.column_dimensions[heading.column_letter].width = max(14, len(column.name) + 4)
            for row in range(2, _ROWS):
                sheet.cell(row, number).number_format = _TEXT
    kept = io.BytesIO()
    workbook.save(kept)
    return kept.getvalue()
