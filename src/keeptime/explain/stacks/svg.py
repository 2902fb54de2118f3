"""The flame graph as a picture of its own, for a file: its colours are within, for light and for dark.

Guarantees: well-formed, all text escaped, no script; the page of an incident has its own (`flame.html`). Pure.
"""

from html import escape

from keeptime.explain.stacks.flame import ROW, Flame

HEAD = 44
STYLE = """
text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1c2321; }
.head { font: 14px system-ui, sans-serif; }
.paper { fill: #ffffff; }
rect { stroke: #ffffff; stroke-width: 1; }
.shade-0 { fill: #cfe3dd; } .shade-1 { fill: #dfe9cf; } .shade-2 { fill: #d5e0ee; } .shade-3 { fill: #e6e0d2; }
.did-waits { fill: #f5d9a8; } .did-native { fill: #f2b8a8; } .did-gc { fill: #d9c4ec; }
.did-other { fill: #e2e2e2; }
.grown { stroke: #b3261e; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e7ecea; } .paper { fill: #1b2220; } rect { stroke: #1b2220; }
  .shade-0 { fill: #2c4a42; } .shade-1 { fill: #3c4a2c; } .shade-2 { fill: #2c3e55; } .shade-3 { fill: #4a4334; }
  .did-waits { fill: #6b4d17; } .did-native { fill: #74392c; } .did-gc { fill: #513a68; }
  .did-other { fill: #454a48; }
}
"""


def svg(flame: Flame, title: str) -> str:
    """A whole file."""
    width, height = flame.width, flame.height + HEAD
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}: {escape(flame.sentence)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>',
        f'<text class="head" x="6" y="18">{escape(title)}</text>',
        f'<text class="head" x="6" y="36">{escape(flame.sentence)}</text>',
    ]
    for box in flame.boxes:
        y = box.y + HEAD
        text = f'<text x="{box.x + 3:.2f}" y="{y + ROW - 6:.2f}">{escape(box.text)}</text>' if box.text else ""
        lines.append(
            f'<g><title>{escape(box.title)}</title><rect class="{box.kind}" x="{box.x:.2f}" y="{y:.2f}" '
            f'width="{box.width:.2f}" height="{ROW:g}"/>{text}</g>'
        )
    return "\n".join([*lines, "</svg>", ""])
