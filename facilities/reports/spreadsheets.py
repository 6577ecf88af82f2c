"""Tables as an XLSX whose bytes follow from the tables alone.

openpyxl writes the machine's time into what it saves, and its bytes change with its version, with whether lxml is
installed and with how zlib packs. A report made again must be the same file, so the few parts are written here, by hand
and unpacked: text as text (never a formula), numbers as numbers.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_STORED, ZipFile, ZipInfo

Cell = str | int | float | None
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CORE = "application/vnd.openxmlformats-package.core-properties+xml"
_STYLES = (  # 0 as it is, 1 bold
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>')


@dataclass(frozen=True, slots=True)
class Sheet:
    """`name`: at most 31 characters, none of `[]:*?/\\`."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def workbook(sheets: Sequence[Sheet], made_at: datetime) -> bytes:
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": _content_types(numbers),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml"), ("core", "docProps/core.xml")]),
        "docProps/core.xml": _core(made_at),
        "xl/workbook.xml": _book(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            [*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")]),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{n}.xml": _sheet(sheet) for n, sheet in zip(numbers, sheets, strict=True)},
    }
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, xml in parts.items():
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # the same on every machine
            archive.writestr(entry, (_HEAD + xml).encode())
    return file.getvalue()


def _content_types(numbers: range) -> str:
    parts = [("/xl/workbook.xml", f"{_TYPES}.sheet.main+xml"), ("/xl/styles.xml", f"{_TYPES}.styles+xml"),
             ("/docProps/core.xml", _CORE),
             *((f"/xl/worksheets/sheet{n}.xml", f"{_TYPES}.worksheet+xml") for n in numbers)]
    return (f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            + "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts) + "</Types>")


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    core = f"{_PACKAGE}/relationships/metadata/core-properties"
    return (f'<Relationships xmlns="{_PACKAGE}/relationships">' + "".join(
        f'<Relationship Id="r{n}" Type="{core if kind == "core" else f"{_OFFICE}/{kind}"}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)) + "</Relationships>")


def _core(made_at: datetime) -> str:
    time = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
            'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f'<dcterms:created xsi:type="dcterms:W3CDTF">{time}</dcterms:created>'
            f'<dcterms:modified xsi:type="dcterms:W3CDTF">{time}</dcterms:modified></cp:coreProperties>')


def _book(sheets: Sequence[Sheet]) -> str:
    listed = "".join(f'<sheet name={quoteattr(sheet.name)} sheetId="{n}" r:id="r{n}"/>'
                     for n, sheet in enumerate(sheets, start=1))
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'


def _sheet(sheet: Sheet) -> str:
    lines = [_row(sheet.header, 1, style=1)] if sheet.header else []
    lines += [_row(row, number, style=0) for number, row in enumerate(sheet.rows, start=len(lines) + 1)]
    return (f'<worksheet xmlns="{_MAIN}"><sheetFormatPr defaultColWidth="18" defaultRowHeight="15"/>'
            f'<sheetData>{"".join(lines)}</sheetData></worksheet>')


def _row(cells: Sequence[Cell], number: int, *, style: int) -> str:
    filled = [_cell(cell, f"{_column(place)}{number}", style) for place, cell in enumerate(cells) if cell is not None]
    return f'<row r="{number}">{"".join(filled)}</row>'


def _cell(cell: str | float, at: str, style: int) -> str:
    if isinstance(cell, str):
        return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_text(cell)}</t></is></c>'
    return f'<c r="{at}" s="{style}"><v>{cell!r}</v></c>'


def _text(cell: str) -> str:
    return escape(cell.translate({0xFFFE: None, 0xFFFF: None}))  # which no XML may hold


def _column(place: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
