"""Draws how fast guests are beside TCG and the bare host: one row for each workload, on a logarithmic axis, as SVG."""

import dataclasses
import html
import math

WIDTH = 820
LABEL_WIDTH = 150
RIGHT_MARGIN = 60
ROW_HEIGHT = 30
TOP = 84
BOTTOM = 44
BAR_HEIGHT = 9
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100)
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .title { font-size: 17px; font-weight: 600; }
  .small { font-size: 11px; fill: #52606d; }
  .grid { stroke: #d9e2ec; }
  .tcg { stroke: #52606d; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .pileus { fill: #2f6fde; }
  .host { fill: #b8c4ce; }
  .paper { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; } .small { fill: #9aa5b1; } .grid { stroke: #3e4c59; }
    .tcg { stroke: #9aa5b1; } .pileus { fill: #6ea0ff; } .host { fill: #616e7c; } .paper { fill: #18202b; }
  }
"""


@dataclasses.dataclass
class Row:
    """Speeds of one workload, TCG being 1."""

    name: str
    pileus: float
    host: float | None = None  # None: not measured


def draw(title, note, rows):
    """The chart as the text of an SVG file."""
    speeds = [speed for row in rows for speed in (row.pileus, row.host) if speed]
    low, high = min(TICKS[0], *speeds), max(TICKS[-1], *speeds)
    plot = WIDTH - LABEL_WIDTH - RIGHT_MARGIN
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM

    def position(speed):
        return LABEL_WIDTH + plot * math.log(speed / low) / math.log(high / low)

    def text(x, y, content, kind="", anchor="start"):
        return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{html.escape(content)}</text>'

    def bar(y, speed, kind):
        left, right = sorted((position(1), position(speed)))
        return (f'<rect x="{left:.1f}" y="{y:.1f}" width="{right - left:.1f}" height="{BAR_HEIGHT}" class="{kind}">'
                f"<title>{speed:.2f}x</title></rect>")

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
             f"<title>{html.escape(title)}</title>", f"<style>{STYLE}</style>",
             f'<rect width="{WIDTH}" height="{height}" class="paper"/>', text(16, 28, title, "title"),
             text(16, 48, note, "small"),
             f'<rect x="16" y="59" width="12" height="{BAR_HEIGHT}" class="pileus"/>', text(33, 67, "Pileus bt", "small"),
             f'<rect x="110" y="59" width="12" height="{BAR_HEIGHT}" class="host"/>', text(127, 67, "bare host", "small")]
    bottom = height - BOTTOM
    for tick in TICKS:
        x = position(tick)
        parts += [f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" class="grid"/>',
                  text(x, bottom + 16, f"{tick:g}x", "small", "middle")]
    for number, row in enumerate(rows):
        y = TOP + number * ROW_HEIGHT
        parts += [text(LABEL_WIDTH - 10, y + 14, row.name, anchor="end"), bar(y, row.pileus, "pileus"),
                  text(position(max(row.pileus, 1)) + 5, y + BAR_HEIGHT, f"{row.pileus:.1f}", "small")]
        if row.host:
            parts.append(bar(y + BAR_HEIGHT + 1, row.host, "host"))
    parts += [f'<line x1="{position(1):.1f}" y1="{TOP - 6}" x2="{position(1):.1f}" y2="{bottom}" class="tcg"/>',
              text(LABEL_WIDTH, bottom + 32, "times the speed of QEMU's TCG, logarithmic", "small"), "</svg>"]
    return "\n".join(parts) + "\n"
