// Three panes with one time axis and one cursor: price with own orders and fills, profit, drawdown.

const COLOR = { bid: "#5b7fa6", ask: "#a6805b", band: "rgba(100, 116, 139, 0.10)", buy: "#0f766e", sell: "#be123c", net: "#1d4ed8", gross: "#94a3b8", loss: "#be123c" };
const dollar = (value, digits = 2) => (value == null ? "-" : `${value < 0 ? "-" : ""}$${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`);

const timeAxis = (days) => ({
  size: days.length > 1 ? 46 : 32,
  splits: (u, axis, min, max) => axisSplits(days, min, max, u.width),
  values: (u, splits) => axisLabels(days, splits),
  grid: { stroke: "#eef2f6", width: 1 },
  ticks: { stroke: "#cbd5e1", width: 1 },
});
// Steps finer than the usual digits (two and a half cents) are written out, or two labels would read the same.
const digitsOf = (splits, digits) => {
  const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : 1;
  let needed = digits;
  while (needed < 4 && Math.abs(step * 10 ** needed - Math.round(step * 10 ** needed)) > 1e-6) needed++;
  return needed;
};
const moneyAxis = (digits) => ({ size: 72, values: (u, splits) => splits.map((v) => dollar(v, digitsOf(splits, digits))), grid: { stroke: "#eef2f6", width: 1 }, ticks: { stroke: "#cbd5e1", width: 1 } });
const timeSeries = (days) => ({ label: "time ET", value: (u, x) => (x == null ? "-" : clockFull.format(new Date(toTime(days, x) * 1000))) });

function options(days, title, width, height, series, digits, hooks) {
  return {
    title, width, height, padding: [null, 34, null, null], series: [timeSeries(days), ...series],
    axes: [timeAxis(days), moneyAxis(digits)],
    scales: { x: { time: false } },
    cursor: { sync: { key: "run", setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
    hooks,
  };
}

function priceChart(days, place, width, symbol, hooks) {
  const line = (label, stroke) => ({ label, stroke, width: 1, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (u, v) => dollar(v, 4).replace(/(\.\d\d)00$/, "$1") });
  const chart = options(days, `${symbol.name}: bid and ask, own orders and fills`, width, 360, [line("bid", COLOR.bid), line("ask", COLOR.ask)], 2, {
    ...hooks,
    draw: [(u) => drawOrders(u, symbol.orders), (u) => drawFills(u, symbol.fills)],
  });
  chart.bands = [{ series: [2, 1], fill: COLOR.band }];
  return new uPlot(chart, [symbol.x, symbol.bid, symbol.ask], place);
}

function profitChart(days, place, width, equity, hooks) {
  const series = [
    { label: "net", stroke: COLOR.net, width: 2, points: { show: false }, value: (u, v) => dollar(v) },
    { label: "before fees", stroke: COLOR.gross, width: 1, dash: [4, 3], points: { show: false }, value: (u, v) => dollar(v) },
  ];
  return new uPlot(options(days, "Profit, marked to mid", width, 200, series, 0, hooks), [equity.x, equity.net, equity.gross], place);
}

function drawdownChart(days, place, width, equity, hooks) {
  const series = [{ label: "below the highest net", stroke: COLOR.loss, width: 1, fill: "rgba(190, 18, 60, 0.12)", points: { show: false }, value: (u, v) => dollar(v) }];
  return new uPlot(options(days, "Drawdown", width, 130, series, 0, hooks), [equity.x, equity.drawdown], place);
}

// Runs `paint` with the plot's rectangle as clip; x and y give canvas pixels.
function paintInside(u, paint) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(ctx, (at) => u.valToPos(at, "x", true), (v) => u.valToPos(v, "y", true));
  ctx.restore();
}

function drawOrders(u, orders) {
  const { min, max } = u.scales.x;
  paintInside(u, (ctx, x, y) => {
    ctx.lineWidth = (inView(orders.start, min, max) > u.width / 2 ? 1 : 3) * devicePixelRatio;
    ctx.globalAlpha = 0.55;
    for (let k = 0; k < orders.start.length; k++) {
      if (orders.end[k] < min || orders.start[k] > max) continue;
      const left = x(orders.start[k]);
      const right = Math.max(x(orders.end[k]), left + 2 * devicePixelRatio);
      const level = y(orders.price[k]);
      ctx.strokeStyle = orders.side[k] > 0 ? COLOR.buy : COLOR.sell;
      ctx.beginPath();
      ctx.moveTo(left, level);
      ctx.lineTo(right, level);
      ctx.stroke();
    }
  });
}

function inView(places, min, max) {
  let seen = 0;
  for (const x of places) if (x >= min && x <= max) seen++;
  return seen;
}

// Smaller where many fills are in view, so that the price stays visible behind them.
function markSize(u, fills) {
  const seen = inView(fills.x, u.scales.x.min, u.scales.x.max);
  const room = u.width / 12;
  return seen <= room ? 6 : Math.max(2, 6 * Math.sqrt(room / seen));
}

// A buy points up from below its price, a sell down from above; hollow where the fill removed liquidity.
function drawFills(u, fills) {
  const { min, max } = u.scales.x;
  const size = markSize(u, fills) * devicePixelRatio;
  paintInside(u, (ctx, x, y) => {
    ctx.lineWidth = Math.min(1.5, size / 4) * devicePixelRatio;
    for (let k = 0; k < fills.x.length; k++) {
      if (fills.x[k] < min || fills.x[k] > max) continue;
      const left = x(fills.x[k]);
      const tip = y(fills.price[k]);
      const foot = tip + fills.side[k] * size * 1.7;
      ctx.strokeStyle = fills.side[k] > 0 ? COLOR.buy : COLOR.sell;
      ctx.fillStyle = fills.added[k] ? ctx.strokeStyle : "#ffffff";
      ctx.beginPath();
      ctx.moveTo(left, tip);
      ctx.lineTo(left - size, foot);
      ctx.lineTo(left + size, foot);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }
  });
}

// Index of the fill within 10 pixels of the cursor, or -1.
function fillAt(u, fills) {
  const { left, top } = u.cursor;
  let nearest = -1;
  let best = 100;
  for (let k = 0; left >= 0 && k < fills.x.length; k++) {
    const dx = u.valToPos(fills.x[k], "x") - left;
    const dy = u.valToPos(fills.price[k], "y") + fills.side[k] * 5 - top;
    if (dx * dx + dy * dy < best) [best, nearest] = [dx * dx + dy * dy, k];
  }
  return nearest;
}
