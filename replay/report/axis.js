// The time axis: trading hours only. Nights are squeezed to a short gap, so several days stand side by side.
// Positions on the axis ("x") are seconds of replayed time; `toX` and `toTime` go between them and New York time.

const ZONE = "America/New_York";
const NIGHT_S = 900;
const STEPS_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400];
const written = (options) => new Intl.DateTimeFormat("en-US", { timeZone: ZONE, hourCycle: "h23", ...options });
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const clockFull = written({ month: "short", day: "2-digit", second: "2-digit", ...CLOCK });
const clockSecond = written({ second: "2-digit", ...CLOCK });
const clockShort = written(CLOCK);
const dayShort = written({ month: "short", day: "2-digit" });

// Days as { start, end, x }: where each begins in time and on the axis.
function layDays(days) {
  let x = 0;
  return days.map(([label, start, end]) => {
    const day = { label, start, end, x };
    x += end - start + NIGHT_S;
    return day;
  });
}

// A time in the night counts as the end of its day.
function toX(days, t) {
  let last = days[0];
  for (const day of days) if (day.start <= t) last = day;
  return last ? last.x + Math.min(Math.max(t - last.start, 0), last.end - last.start) : t;
}

function toTime(days, x) {
  let last = days[0];
  for (const day of days) if (day.x <= x) last = day;
  return last ? Math.min(last.start + Math.max(x - last.x, 0), last.end) : x;
}

// Round times of the visible days; only the days themselves where they are many.
function axisSplits(days, min, max, width) {
  const room = Math.max(width / 80, 2);
  const step = STEPS_S.find((s) => (max - min) / s <= room);
  const splits = [];
  for (const day of days) {
    if (day.x > max || day.x + day.end - day.start < min) continue;
    if (!step) splits.push(day.x);
    else for (let t = Math.ceil(day.start / step) * step; t <= day.end; t += step) splits.push(day.x + t - day.start);
  }
  const stride = step ? 1 : Math.ceil(splits.length / room);
  return splits.filter((x, k) => k % stride === 0 && x >= min && x <= max);
}

// The first label of a day carries its date where several days are seen.
function axisLabels(days, splits) {
  const times = splits.map((x) => new Date(toTime(days, x) * 1000));
  const dates = times.map((time) => dayShort.format(time));
  const isMany = new Set(dates).size > 1;
  if (isMany && new Set(dates).size === dates.length && dates.length > 4) return dates;
  const clock = splits.length > 1 && splits[1] - splits[0] < 60 ? clockSecond : clockShort;
  return times.map((time, k) => clock.format(time) + (isMany && dates[k] !== dates[k - 1] ? `\n${dates[k]}` : ""));
}
