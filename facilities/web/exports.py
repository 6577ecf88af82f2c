"""Tables as files: CSV that opens in a spreadsheet as it is, XLSX with typed cells."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response, request
from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | float | None
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def wanted_format() -> str | None:
    """What the client asks for by `Accept`: CSV, XLSX, or None for the usual answer."""
    best = request.accept_mimetypes.best_match(["application/json", CSV, XLSX], "application/json")
    return None if best == "application/json" else best


def harmless(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula is shown as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def as_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    text = io.StringIO()
    text.write("\ufeff")  # so that spreadsheets read it as UTF-8
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return _attachment(text.getvalue().encode(), f"{CSV}; charset=utf-8", f"{name}.csv")


def as_xlsx(name: str, sheet: str, header: Sequence[str], rows: Iterable[Sequence[Cell]],
            notes: Sequence[tuple[str, str]] = (), above: Sequence[Sequence[str]] = ()) -> Response:
    """One sheet, its header fixed; `notes` (what was filtered, when it was made) on a second one.

    `above`: rows over the header, as a form has them.
    """
    book = Workbook(write_only=True)
    table = book.create_sheet(sheet)
    table.freeze_panes = f"A{len(above) + 2}"
    for line in above:
        table.append([harmless(cell) for cell in line])
    table.append([_bold(table, text) for text in header])
    for row in rows:
        table.append([harmless(cell) for cell in row])
    if notes:
        about = book.create_sheet(_("About"))
        for name_, value in notes:
            about.append([_bold(about, name_), value])
    file = io.BytesIO()
    book.save(file)
    return _attachment(file.getvalue(), XLSX, f"{name}.xlsx")


def _bold(sheet: object, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _attachment(content: bytes, mimetype: str, filename: str) -> Response:
    return Response(content, mimetype=mimetype.split(";", maxsplit=1)[0], content_type=mimetype,
                    headers={"Content-Disposition": f'attachment; filename="{filename}"'})
