// What the page does: choose symbol and day, keep the panes together, go to a fill, test itself.

const raw = JSON.parse(document.getElementById("data").textContent);
const days = layDays(raw.days);
const view = { symbols: [], equity: null, charts: [], symbol: 0, range: null, isReady: false };
const byId = (id) => document.getElementById(id);

async function load() {
  view.equity = await decodeColumns(raw.equity);
  for (const key of ["net", "gross", "drawdown"]) view.equity[key] = money(view.equity[key]);
  view.equity.x = onAxis(view.equity.ms);
  for (const packed of raw.symbols) view.symbols.push(await loadSymbol(packed));
}

const onAxis = (ms) => Array.from(ms, (value) => toX(days, value / 1000));

async function loadSymbol(packed) {
  const [price, orders, fills] = await Promise.all([packed.price, packed.orders, packed.fills].map(decodeColumns));
  for (const side of ["bid", "ask"]) price[side] = dollars(price[side], raw.scale);
  Object.assign(orders, { start: onAxis(orders.start), end: onAxis(orders.end), price: dollars(orders.price, raw.scale) });
  Object.assign(fills, { x: onAxis(fills.ms), price: dollars(fills.price, raw.scale) });
  return { name: packed.name, x: onAxis(price.ms), bid: price.bid, ask: price.ask, orders, fills };
}

function show(index) {
  const width = byId("charts").clientWidth - 34;
  for (const chart of view.charts) chart.destroy();
  view.symbol = index;
  const symbol = view.symbols[index];
  const together = { setScale: [keepTogether] };
  view.charts = [
    priceChart(days, byId("price"), width, symbol, { ...together, setCursor: [(u) => showTip(u, symbol.fills)] }),
    profitChart(days, byId("profit"), width, view.equity, together),
    drawdownChart(days, byId("drawdown"), width, view.equity, together),
  ];
  go(view.range || whole());
  markButtons();
}

function whole() {
  const last = days[days.length - 1];
  return last ? { min: 0, max: last.x + last.end - last.start } : { min: 0, max: 1 };
}

function go(range) {
  view.range = range;
  for (const chart of view.charts) chart.setScale("x", range);
}

// A zoom in one pane moves the others; a double click asks for all of its own data, which is the whole run.
function keepTogether(u, key) {
  if (key !== "x" || !view.isReady) return;
  const { min, max } = u.scales.x;
  if (view.range && Math.abs(view.range.min - min) < 1e-6 && Math.abs(view.range.max - max) < 1e-6) return;
  view.range = { min, max };
  for (const chart of view.charts) if (chart !== u) chart.setScale("x", view.range);
}

function showTip(u, fills) {
  const tip = byId("tip");
  const k = fillAt(u, fills);
  tip.hidden = k < 0;
  if (k < 0) return;
  const ahead = fills.ahead[k] < 0 ? "unknown" : `${fills.ahead[k].toLocaleString()} shares`;
  tip.textContent = `${fills.side[k] > 0 ? "bought" : "sold"} ${fills.qty[k].toLocaleString()} at ${dollar(fills.price[k])}, ${fills.added[k] ? "adding" : "removing"} liquidity\n${clockFull.format(new Date(fills.ms[k]))} ET, ahead of us before ${ahead}\n${raw.rules[fills.rule[k]]}`;
  const edge = byId("charts").getBoundingClientRect();
  const box = u.root.querySelector(".u-over").getBoundingClientRect();
  tip.style.left = `${Math.min(box.left - edge.left + u.cursor.left + 14, edge.width - 330)}px`;
  tip.style.top = `${box.top - edge.top + u.cursor.top + 14}px`;
}

function button(place, text, action, isIdle) {
  const made = document.createElement("button");
  made.textContent = text;
  made.classList.toggle("idle", isIdle);
  made.onclick = action;
  byId(place).append(made);
}

function buildToolbar() {
  view.symbols.forEach((symbol, k) => button("symbols", symbol.name, () => show(k), symbol.fills.x.length === 0));
  if (days.length < 2) return;
  button("days", "all days", () => go(whole()));
  for (const day of days) button("days", day.label.slice(5), () => go({ min: day.x, max: day.x + day.end - day.start }));
}

function markButtons() {
  byId("symbols").querySelectorAll("button").forEach((made, k) => made.classList.toggle("on", k === view.symbol));
}

// A place in the run has an address: report.html#symbol=AAPL&t=1772463006 shows one minute around it.
function goTo(address) {
  const asked = new URLSearchParams(address);
  const index = view.symbols.findIndex((symbol) => symbol.name === asked.get("symbol"));
  const t = Number(asked.get("t"));
  if (index < 0) return false;
  if (t > 0) view.range = { min: toX(days, t) - 60, max: toX(days, t) + 60 };
  show(index);
  return true;
}

function goToFill(row) {
  location.hash = new URLSearchParams({ symbol: row.dataset.symbol, t: row.dataset.t }).toString();
  byId("charts").scrollIntoView({ behavior: "smooth" });
}

// What tests and the console may ask: what is shown, and how much was decoded.
window.state = () => ({
  isReady: view.isReady,
  symbol: view.symbols[view.symbol] ? view.symbols[view.symbol].name : null,
  range: view.range,
  points: view.symbols.reduce((sum, symbol) => sum + symbol.x.length, 0),
  fills: view.symbols.reduce((sum, symbol) => sum + symbol.fills.x.length, 0),
  orders: view.symbols.reduce((sum, symbol) => sum + new Set(symbol.orders.id).size, 0),
  net_usd: view.equity && view.equity.net.length ? view.equity.net[view.equity.net.length - 1] : 0,
  charts: view.charts.length,
});

function selfTest() {
  const now = window.state();
  const found = [...window.pageErrors];
  if (raw.has_charts) {
    if (now.charts !== 3) found.push(`${now.charts} charts instead of 3`);
    if (now.fills !== raw.expected.fills) found.push(`${now.fills} fills drawn, summary says ${raw.expected.fills}`);
    if (Math.abs(now.net_usd - raw.expected.net_usd) > 0.011) found.push(`net ${now.net_usd} drawn, summary says ${raw.expected.net_usd}`);
    if (view.charts.some((chart) => !(chart.scales.x.max > chart.scales.x.min))) found.push("a chart has no time axis");
  }
  const told = raw.has_charts ? `${now.points} price points, ${now.fills} fills, ${now.orders} orders drawn` : "tables only";
  byId("selftest").textContent = found.length ? `self-test FAILED: ${found.join("; ")}` : `self-test ok: ${told}`;
}

async function start() {
  if (!raw.has_charts) document.body.classList.add("no-charts");
  else {
    await load();
    buildToolbar();
    const traded = view.symbols.findIndex((symbol) => symbol.fills.x.length > 0);
    if (view.symbols.length && !goTo(location.hash.slice(1))) show(Math.max(traded, 0));
    window.addEventListener("hashchange", () => goTo(location.hash.slice(1)));
    byId("fills").querySelectorAll("tr[data-t]").forEach((row) => { row.onclick = () => goToFill(row); });
    window.addEventListener("resize", () => view.charts.forEach((chart) => chart.setSize({ width: byId("charts").clientWidth - 34, height: chart.height })));
  }
  view.isReady = true;
}

start().catch((error) => window.pageErrors.push(String(error))).finally(() => setTimeout(selfTest, 50));
