"""The report of a run: one page, `report.html`, that needs nothing but a browser.

- `page`: `write_report`, which puts the page together
- `sections`: the tables, which read without any script
- `columns`: a table of a run as numpy arrays
- `panes`: what the charts draw: price path, own orders, fills, profit
- `encode`: integers as deltas, zlib, base64
- `drawing`: the plain SVG that stands in where the chart library is not installed
- `page.html`, `page.css`, `decode.js`, `axis.js`, `charts.js`, `page.js`: the page itself
"""

from replay.report.page import write_report

__all__ = ["write_report"]
