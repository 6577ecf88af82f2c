"""Tables as files: CSV that opens in a spreadsheet as it is, XLSX with typed cells."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Share(float):
    """A number that a spreadsheet shows as a percentage."""


Cell = str | int | float | None
NARROWEST, WIDEST = 8, 60  # columns, in characters
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a workbook, its header fixed.

    `above`: rows over the header, as a form has them. `below`: rows under the table, of what a reader must know.
    """

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    above: Sequence[Sequence[str]] = ()
    below: Sequence[Sequence[str]] = ()
    widths_fit: bool = True


def as_xlsx(name: str, sheet: str, header: Sequence[str], rows: Iterable[Sequence[Cell]],
            notes: Sequence[tuple[str, str]] = (), above: Sequence[Sequence[str]] = ()) -> Response:
    """One sheet, its header fixed; `notes` (what was filtered, when it was made) on a second one."""
    return as_workbook(name, [Sheet(sheet, header, rows, above=above, widths_fit=False)], notes)


def as_workbook(name: str, sheets: Iterable[Sheet], notes: Sequence[tuple[str, str]] = ()) -> Response:
    book = Workbook(write_only=True)
    for sheet in sheets:
        _write(book, sheet)
    if notes:
        about = book.create_sheet(_("About"))
        for name_, value in notes:
            about.append([_bold(about, name_), value])
    file = io.BytesIO()
    book.save(file)
    return _attachment(file.getvalue(), XLSX, f"{name}.xlsx")


def _write(book: Workbook, sheet: Sheet) -> None:
    """Widths and what is fixed are said before the first row: the book is written as it goes."""
    table, rows = book.create_sheet(sheet.title), [list(row) for row in sheet.rows]
    table.freeze_panes = f"A{len(sheet.above) + 2}"
    if sheet.widths_fit:
        for number, cells in enumerate(zip(sheet.header, *rows, strict=True), start=1):
            table.column_dimensions[get_column_letter(number)].width = _width(cells)
    for line in sheet.above:
        table.append([harmless(cell) for cell in line])
    table.append([_bold(table, text) for text in sheet.header])
    for row in rows:
        table.append([_shaped(table, cell) for cell in row])
    for line in sheet.below:
        table.append([harmless(cell) for cell in line])


def _width(cells: Iterable[Cell]) -> float:
    """What the widest of them takes; a Chinese character takes two places."""
    widest = max(sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in str(cell)) for cell in cells
                 if cell is not None)
    return float(min(max(widest + 2, NARROWEST), WIDEST))


def _shaped(sheet: object, cell: Cell) -> Any:  # noqa: ANN401 - a value, or a cell with a format
    if not isinstance(cell, Share):
        return harmless(cell)
    shaped = WriteOnlyCell(sheet, value=float(cell))
    shaped.number_format = "0.0%"
    return shaped


def _bold(sheet: object, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _attachment(content: bytes, mimetype: str, filename: str) -> Response:
    return Response(content, mimetype=mimetype.split(";", maxsplit=1)[0], content_type=mimetype,
                    headers={"Content-Disposition": f'attachment; filename="{filename}"'})
