"""Charts, as SVG, and how numbers are shown."""

import math
from html import escape
from statistics import median

COLORS = ["#1f6feb", "#8b949e", "#d29922", "#2da44e"]
# Of a plot, in pixels: where it begins, how wide and how high it is.
LEFT, WIDTH, HEIGHT = 70, 440, 170
# How wide a number below it is.
LABEL = 56


def figure(number):
    """Three significant digits, more before the point."""
    if number >= 100:
        digits = 10 ** max(0, len(str(int(number))) - 3)
        return f"{round(number / digits) * digits:,}"
    return f"{number:.3g}"


def of(row, name):
    return median(sample[name] for sample in row["samples"])


def svg(height, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="700" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def bars(tables):
    """Bars of requests per second, a group for each table."""
    parts, y = [], 10
    for table in tables:
        longest = max(of(row, "requests_per_second") for row in table["rows"])
        parts.append(f'<text x="10" y="{y + 16}" font-weight="bold">{escape(table["title"])}</text>')
        y += 26
        for row in table["rows"]:
            rate = of(row, "requests_per_second")
            color = "#1f6feb" if row["name"].startswith("todo-mcp") else "#8b949e"
            label = f"{row['name']} {row['era'][:4]}"
            width = 340 * rate / longest
            parts.append(
                f'<text x="274" y="{y + 12}" text-anchor="end">{escape(label)}</text>'
                f'<rect x="280" y="{y}" width="{width:.1f}" height="15" fill="{color}"/>'
                f'<text x="{286 + width:.1f}" y="{y + 12}">{figure(rate)}/s</text>'
            )
            y += 20
        y += 14
    return svg(y, parts)


def curves(plots):
    """Lines over a logarithmic axis, a plot under the other. Their vertical axes begin at zero."""
    parts, y = [], 10
    for plot in plots:
        parts.append(f'<text x="10" y="{y + 16}" font-weight="bold">{escape(plot["title"])}</text>')
        parts += curve(plot, y + 30)
        y += HEIGHT + 80
    return svg(y, parts)


def round_up(number):
    """To the next number of two digits of which half has no more, for an axis."""
    step = 2 * 10 ** (math.floor(math.log10(number or 1)) - 1)
    return math.ceil(number / step - 1e-9) * step or 1


def curve(plot, top):
    points = [point for series in plot["series"].values() for point in series]
    least, most = (pick(math.log(x) for x, _ in points) for pick in (min, max))
    highest = round_up(max(y for _, y in points))
    at_x = lambda x: LEFT + WIDTH * (math.log(x) - least) / ((most - least) or 1)
    at_y = lambda y: top + HEIGHT * (1 - y / highest)
    bottom = top + HEIGHT
    yield f'<path d="M{LEFT} {top}V{bottom}H{LEFT + WIDTH}" fill="none" stroke="#57606a"/>'
    for share in (0, 0.5, 1):
        y = at_y(share * highest)
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{figure(share * highest)}</text>'
    labelled = math.inf
    for x in sorted({x for x, _ in points}, reverse=True):
        # Where they would touch, the greater one is named.
        if labelled - at_x(x) >= LABEL:
            labelled = at_x(x)
            yield f'<text x="{labelled:.1f}" y="{bottom + 16}" text-anchor="middle">{x:,}</text>'
    yield f'<text x="{LEFT + WIDTH / 2}" y="{bottom + 34}" text-anchor="middle">{escape(plot["x"])}</text>'
    for number, (name, series) in enumerate(plot["series"].items()):
        color = COLORS[number % len(COLORS)]
        line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in series)
        yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>'
        yield from (f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{color}"/>' for x, y in series)
        y = top + 12 + 20 * number
        yield f'<text x="{LEFT + WIDTH + 20}" y="{y}" fill="{color}">{escape(name)}</text>'
