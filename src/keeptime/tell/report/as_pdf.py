"""A report as PDF (`keeptime[pdf]`), in A4.

Guarantees: its dates and its identity come from the report, so the same report, font and version of fpdf2 give the
same bytes. A character that the font lacks is shown as "?", and the last line says so. Knows no layout but its own.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from keeptime.errors import UsageError
from keeptime.model.compliance import Compliance
from keeptime.tell.report import words
from keeptime.tell.report.values import Incident, Kept, Report

try:
    from fpdf import FPDF
    from fpdf.enums import XPos, YPos
    from fpdf.fonts import TTFFont
except ImportError as error:
    raise UsageError(f"a PDF needs fpdf2 ({error}); pip install 'keeptime[pdf]'") from error

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table of a font

FONTS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
    Path("/usr/share/fonts/TTF"),
    Path("/usr/share/fonts/dejavu"),
)
"""Where distributions keep DejaVu Sans."""
PLAIN, BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
COLORS = {Compliance.MET: (26, 127, 55), Compliance.MISSED: (180, 35, 24), Compliance.UNDECIDED: (138, 90, 0)}
_UP, _DOWN, _NONE, _TEXT = (26, 127, 55), (180, 35, 24), (139, 146, 155), (26, 29, 33)
LABEL, HIGH, WIDE, GAP = 32.0, 14.0, 5.6, 1.4
"""Millimetres: the column of labels, a full bar, a day with its gap, and the gap."""
_PLAINER = str.maketrans({"✓": "+", "✗": "x", "–": "-", "’": "'", "…": "..."})


def render(report: Report) -> bytes:
    page = _Page(report, font_folder())
    page.heading()
    for each in report.objectives:
        page.objective(each)
    page.end()
    return bytes(page.output())


def font_folder() -> Path | None:
    """Where DejaVu Sans is installed; None where it is not: then there is Latin-1 alone."""
    return next((each for each in FONTS if (each / PLAIN).is_file() and (each / BOLD).is_file()), None)


class _Page(FPDF):
    """One report being written down."""

    def __init__(self, report: Report, folder: Path | None) -> None:
        super().__init__(format="A4")
        self.report, self.replaced = report, False
        self.set_creation_date(datetime.fromtimestamp(report.as_of, UTC))
        self.set_title(words.heading(report))
        self.set_author(report.provider)
        self.set_auto_page_break(True, margin=18)
        self._family = "helvetica" if folder is None else "dejavu"
        if folder is not None:
            self.add_font(self._family, "", folder / PLAIN)
            self.add_font(self._family, "B", folder / BOLD)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-14)
        self._use(7)
        self.cell(0, 5, f"Ledger head {self.report.head}   {self.page_no()}", align="L")

    def heading(self) -> None:
        self._line(words.heading(self.report), 16, bold=True)
        self._line(words.standing(self.report), 11, bold=True, color=COLORS[self.report.state])
        self.ln(1)
        self._rows(words.facts(self.report))

    def objective(self, one: Kept) -> None:
        self.ln(4)
        self._line(one.name, 13, bold=True)
        self._line(one.promise, 10)
        self._line(words.verdict(one), 11, bold=True, color=COLORS[one.found.state])
        self._rows(words.rows(one))
        self._bars(one)
        if one.left_out:
            self._line("Left out", 10, bold=True)
            for each in one.left_out:
                self._line(words.left_out(each), 9, indent=4)
        self._line("Incidents", 10, bold=True)
        if not one.incidents:
            self._line("None.", 9, indent=4)
        for incident in one.incidents:
            self._incident(incident)

    def end(self) -> None:
        if self.report.together:
            self.ln(4)
            self._line("Held together", 13, bold=True)
            for each in self.report.together:
                self._line(words.together(each), 10)
        if self.replaced:
            self.ln(4)
            said = "The font here lacks some characters of this report; they are shown as ?. Other forms have them."
            self._line(said, 8)

    def _incident(self, incident: Incident) -> None:
        self._line(words.incident(incident), 9, bold=True, indent=4)
        for told in incident.told:
            self._line(words.told(told), 9, indent=8)
            for each in told.sent:
                self._line(words.sent(each), 8, indent=12)

    def _bars(self, one: Kept) -> None:
        bars = words.bars(one)
        if not bars:
            return
        step = min(WIDE, (self.epw - 2 * self.c_margin + GAP) / len(bars))
        if self.get_y() + HIGH + 10 > self.page_break_trigger:
            self.add_page()
        left, top = self.l_margin + self.c_margin, self.get_y() + 2
        for nth, bar in enumerate(bars):
            x, wide = left + nth * step, step - GAP * step / WIDE
            if bar.height is None:
                self.set_draw_color(*_NONE)
                self.rect(x, top + HIGH - 1.5, wide, 1.5)
                continue
            high = float(bar.height) * HIGH
            self.set_fill_color(*(_UP if bar.kept else _DOWN))
            self.rect(x, top + HIGH - high, wide, high, style="F")
        self.set_draw_color(*_TEXT)
        limit = top + HIGH / words.FULL
        self.set_dash_pattern(1, 1)
        self.line(left, limit, left + len(bars) * step, limit)
        self.set_dash_pattern()
        self.set_y(top + HIGH + 1)
        self._line(f"{bars[0].day} to {bars[-1].day}: {words.worst(one)} (the dashed line)", 8)

    def _rows(self, rows: Iterator[tuple[str, str]]) -> None:
        for name, value in rows:
            self._use(9)
            self.set_text_color(86, 93, 102)
            self.cell(LABEL, 5, name)
            self.set_text_color(*_TEXT)
            self.multi_cell(0, 5, self._known(value), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _line(
        self, text: str, size: int, *, bold: bool = False, color: tuple[int, int, int] = _TEXT, indent: float = 0
    ) -> None:
        self._use(size, "B" if bold else "")
        self.set_text_color(*color)
        self.set_x(self.l_margin + indent)
        shown = self._known(text)
        self.multi_cell(0, size * 0.5, shown, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _use(self, size: int, style: str = "") -> None:
        self.set_font(self._family, style, size)

    def _known(self, text: str) -> str:
        """The text in one line, in characters that the font has."""
        text = " ".join(text.split())
        font = self.current_font
        if not isinstance(font, TTFFont):
            shown = text.translate(_PLAINER).encode("latin-1", "replace").decode("latin-1")
            self.replaced |= shown.count("?") > text.count("?")
            return shown
        shown = "".join(each if ord(each) in font.cmap else "?" for each in text)
        self.replaced |= shown != text
        return shown
