// The other half of encode.py: base64 -> zlib -> integer deltas -> a running sum.

async function inflate(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

async function decodeColumn(column) {
  const values = new Float64Array(column.n);
  if (!column.n) return values;
  const buffer = await inflate(column.data);
  const deltas = column.bytes === 4 ? new Int32Array(buffer) : new BigInt64Array(buffer);
  values[0] = column.first;
  for (let k = 1; k < column.n; k++) values[k] = values[k - 1] + Number(deltas[k - 1]) * column.step;
  return values;
}

async function decodeColumns(columns) {
  const names = Object.keys(columns);
  const values = await Promise.all(names.map((name) => decodeColumn(columns[name])));
  return Object.fromEntries(names.map((name, k) => [name, values[k]]));
}

const dollars = (units, scale) => Array.from(units, (value) => (value > 0 ? value / scale : null));
const money = (cents) => Array.from(cents, (value) => value / 100);
