"""Draw a run of load as one HTML file that needs nothing else."""

from collections.abc import Iterator
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from smppgw.load.report import Figures

WIDTH, HEIGHT = 860, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 12, 30
_STEPS = [n * 10.0**power for power in range(-2, 7) for n in (1, 2, 5)]
"""Seconds between the labels of a curve."""

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1f2328; --faint: #656d76; --grid: #d8dee4;
  --one: #2563eb; --two: #c2570c; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --faint: #9198a1; --grid: #30363d;
  --one: #60a5fa; --two: #fbbf24; --bad: #ff7b72; } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 860px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; font-weight: 600; }
p { color: var(--faint); margin: .25rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
dd.bad { color: var(--bad); }
svg { width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); stroke-width: 1; } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.one { stroke: var(--one); } .two { stroke: var(--two); stroke-dasharray: 6 3; }
.bar { fill: var(--one); } .bar.other { fill: var(--two); }
.key { display: inline-block; width: 1.6em; border-top: 3px solid var(--one); vertical-align: middle; }
.key.other { border-top: 3px dashed var(--two); }
"""


def page(found: Figures, title: str) -> str:
    """The whole document."""
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>",
        "<meta name='viewport' content='width=device-width'>",
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>",
        f"<p>{found.links} link{'s' if found.links > 1 else ''}, window {found.window}, {_pace(found)}</p>",
        f"<dl>{''.join(_tiles(found))}</dl>",
        "<h2>Messages a second</h2>",
        "<p><span class='key'></span> accepted or refused <span class='key other'></span> receipts</p>",
        throughput(found.curve),
    ]
    if found.response_histogram:
        parts += ["<h2>Time to the response, in milliseconds</h2>", bars(found.response_histogram, "bar")]
    if found.receipt_histogram:
        parts += ["<h2>Time to the receipt, in milliseconds</h2>", bars(found.receipt_histogram, "bar other")]
    return "\n".join(parts) + "\n</html>\n"


def write(path: Path, found: Figures, title: str) -> None:
    path.write_text(page(found, title), encoding="utf-8")


def _pace(found: Figures) -> str:
    return f"{found.rate:,.0f} messages a second asked for" if found.rate else "as fast as the windows allow"


def _tiles(found: Figures) -> Iterator[str]:
    response, receipt = found.response_ms, found.receipt_ms
    tiles = [
        ("accepted", f"{found.accepted:,}"),
        ("accepted/s", f"{found.accepted_per_s:,.0f}"),
        ("response p50 / p99, ms", f"{response.p50:,.1f} / {response.p99:,.1f}"),
        ("receipts/s", f"{found.receipts_per_s:,.0f}"),
        ("receipt p50 / p99, ms", f"{receipt.p50:,.1f} / {receipt.p99:,.1f}"),
        ("duplicated", f"{found.duplicated:,}"),
        ("unknown", f"{found.unknown:,}"),
    ]
    tiles += [(name, f"{count:,}") for name, count in found.statuses.items() if name != "ROK"]
    yield f"<div><dt>lost</dt><dd{' class=bad' if found.lost else ''}>{found.lost:,}</dd></div>"
    if found.to_come:
        tiles.append(("still to come", f"{found.to_come:,}"))
    for name, value in tiles:
        yield f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>"


def throughput(curve: list[tuple[float, float, float]]) -> str:
    """Two lines over time."""
    end = max(curve[-1][0], 0.1) if curve else 1.0
    top = _ceiling(max((max(point[1:]) for point in curve), default=1.0))
    lines = "".join(
        f"<polyline class='line {name}' points='{_points(curve, of, end, top)}'/>"
        for of, name in ((1, "one"), (2, "two"))
    )
    step = next(each for each in _STEPS if end / each <= 6)
    labels = "".join(_below(_x(n * step / end), f"{n * step:g} s") for n in range(int(end / step) + 1))
    return _svg(_grid(top) + labels + lines)


def bars(histogram: list[tuple[float, float, int]], name: str) -> str:
    """How many took how long; the time on a logarithmic scale."""
    top = _ceiling(max(count for _, _, count in histogram))
    share = 1 / len(histogram)
    drawn = "".join(
        f"<rect class='{name}' x='{_x(n * share) + 1:.1f}' y='{_y(count / top):.1f}' "
        f"width='{max(_x(share) - _x(0) - 2, 1):.1f}' height='{_y(0) - _y(count / top):.1f}'>"
        f"<title>{_short(low)} to {_short(high)} ms: {count:,}</title></rect>"
        for n, (low, high, count) in enumerate(histogram)
        if count
    )
    step = len(histogram) // 6
    labels = "".join(_below(_x(n * share), _short(histogram[n][0])) for n in range(0, len(histogram), step))
    return _svg(_grid(top) + labels + drawn)


def _points(curve: list[tuple[float, float, float]], of: int, end: float, top: float) -> str:
    return " ".join(f"{_x(point[0] / end):.1f},{_y(point[of] / top):.1f}" for point in curve)


def _grid(top: float) -> str:
    made = []
    for n in range(5):
        y = _y(n / 4)
        made.append(f"<line class='grid' x1='{_LEFT}' x2='{WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}'/>")
        made.append(f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end'>{top * n / 4:,.0f}</text>")
    return "".join(made)


def _below(x: float, label: str) -> str:
    return f"<text x='{x:.1f}' y='{HEIGHT - 8}' text-anchor='middle'>{label}</text>"


def _short(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"


def _svg(inside: str) -> str:
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>{inside}</svg>"


def _x(share: float) -> float:
    return _LEFT + share * (WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _ceiling(value: float) -> float:
    """A round number above, that four parts divide well."""
    if value <= 4:
        return 4.0
    step = 10.0 ** floor(log10(value))
    return next(step * n for n in (1, 2, 4, 6, 8, 10, ceil(value / step) + 1) if step * n >= value)
