// Three panes with one time axis and one cursor: price with own orders and fills, profit, drawdown.

const ZONE = "America/New_York";
const COLOR = { bid: "#5b7fa6", ask: "#a6805b", band: "rgba(100, 116, 139, 0.10)", buy: "#0f766e", sell: "#be123c", net: "#1d4ed8", gross: "#94a3b8", loss: "#be123c" };
const clockFull = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, hour12: false, hourCycle: "h23", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clockShort = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, hourCycle: "h23", hour: "2-digit", minute: "2-digit" });
const clockSecond = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayShort = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, month: "short", day: "2-digit" });
const dollar = (value, digits = 2) => (value == null ? "-" : `${value < 0 ? "-" : ""}$${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`);

function timeLabels(u, splits, axis, space, step) {
  const clock = step < 60 ? clockSecond : step < 86400 ? clockShort : dayShort;
  return splits.map((t) => clock.format(new Date(t * 1000)));
}

const timeAxis = { size: 32, values: timeLabels, grid: { stroke: "#eef2f6", width: 1 }, ticks: { stroke: "#cbd5e1", width: 1 }, space: 70 };
const moneyAxis = (digits) => ({ size: 72, values: (u, splits) => splits.map((v) => dollar(v, digits)), grid: { stroke: "#eef2f6", width: 1 }, ticks: { stroke: "#cbd5e1", width: 1 } });
const timeSeries = { label: "time ET", value: (u, t) => (t == null ? "-" : clockFull.format(new Date(t * 1000))) };

function options(title, width, height, series, digits, hooks) {
  return {
    title, width, height, series: [timeSeries, ...series],
    axes: [timeAxis, moneyAxis(digits)],
    scales: { x: { time: true } },
    cursor: { sync: { key: "run", setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
    tzDate: (t) => uPlot.tzDate(new Date(t * 1000), ZONE),
    hooks,
  };
}

function priceChart(place, width, symbol, hooks) {
  const line = (label, stroke) => ({ label, stroke, width: 1, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, value: (u, v) => dollar(v, 4).replace(/(\.\d\d)00$/, "$1") });
  const chart = options(`${symbol.name}: bid and ask, own orders and fills`, width, 360, [line("bid", COLOR.bid), line("ask", COLOR.ask)], 2, {
    ...hooks,
    draw: [(u) => drawOrders(u, symbol.orders), (u) => drawFills(u, symbol.fills)],
  });
  chart.bands = [{ series: [2, 1], fill: COLOR.band }];
  return new uPlot(chart, [symbol.t, symbol.bid, symbol.ask], place);
}

function profitChart(place, width, equity, hooks) {
  const series = [
    { label: "net", stroke: COLOR.net, width: 2, points: { show: false }, value: (u, v) => dollar(v) },
    { label: "before fees", stroke: COLOR.gross, width: 1, dash: [4, 3], points: { show: false }, value: (u, v) => dollar(v) },
  ];
  return new uPlot(options("Profit, marked to mid", width, 200, series, 0, hooks), [equity.t, equity.net, equity.gross], place);
}

function drawdownChart(place, width, equity, hooks) {
  const series = [{ label: "below the highest net", stroke: COLOR.loss, width: 1, fill: "rgba(190, 18, 60, 0.12)", points: { show: false }, value: (u, v) => dollar(v) }];
  return new uPlot(options("Drawdown", width, 130, series, 0, hooks), [equity.t, equity.drawdown], place);
}

// Runs `paint` with the plot's rectangle as clip; x and y give canvas pixels.
function paintInside(u, paint) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint(ctx, (t) => u.valToPos(t, "x", true), (v) => u.valToPos(v, "y", true));
  ctx.restore();
}

function drawOrders(u, orders) {
  const { min, max } = u.scales.x;
  paintInside(u, (ctx, x, y) => {
    ctx.lineWidth = 3 * devicePixelRatio;
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

// A buy points up from below its price, a sell down from above; hollow where the fill removed liquidity.
function drawFills(u, fills) {
  const { min, max } = u.scales.x;
  const size = 6 * devicePixelRatio;
  paintInside(u, (ctx, x, y) => {
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (let k = 0; k < fills.t.length; k++) {
      if (fills.t[k] < min || fills.t[k] > max) continue;
      const left = x(fills.t[k]);
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
  for (let k = 0; left >= 0 && k < fills.t.length; k++) {
    const dx = u.valToPos(fills.t[k], "x") - left;
    const dy = u.valToPos(fills.price[k], "y") + fills.side[k] * 5 - top;
    if (dx * dx + dy * dy < best) [best, nearest] = [dx * dx + dy * dy, k];
  }
  return nearest;
}
