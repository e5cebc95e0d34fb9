// What the page holds: tables, and blocks and events as columns of numbers.

const KINDS = [
  "joined", "mined", "accepted", "reorganised", "message", "crashed", "restarted", "paused", "resumed", "partitioned",
  "healed", "panicked", "other",
];
const KIND = Object.fromEntries(KINDS.map((kind, number) => [kind, number]));

const tables = JSON.parse(document.getElementById("tables").textContent);
const nodeCount = tables.numbers.length;

// The bytes of an element's base64; the text is let go.
function bytesOf(id) {
  const element = document.getElementById(id);
  const text = atob(element.textContent);
  element.remove();
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}

// Reads numbers of seven bits in each byte, the lowest first.
function reader(bytes) {
  let place = 0;
  return {
    byte: () => bytes[place++],
    number() {
      let value = 0, scale = 1, byte;
      do {
        byte = bytes[place++];
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte > 127);
      return value;
    },
  };
}

// Blocks, in the order in which they are first told of. What is not known is -1.
const blocks = (() => {
  const count = tables.blocks;
  const columns = {
    count,
    hash: new Array(count),
    position: new Float64Array(count),
    parent: new Int32Array(count),
    miner: new Int32Array(count),
    lane: new Int32Array(count),
    // The events by which they were mined.
    mined: new Int32Array(count).fill(-1),
    children: new Int32Array(count),
  };
  const input = reader(bytesOf("blocks"));
  for (let block = 0; block < count; block++) {
    let hash = "";
    for (let digits = 0; digits < 8; digits++) hash += input.byte().toString(16).padStart(2, "0");
    columns.hash[block] = hash;
    columns.position[block] = input.number();
    columns.parent[block] = input.number() - 1;
    columns.miner[block] = input.number() - 1;
    columns.lane[block] = input.number();
  }
  return columns;
})();

// Events, in order. `about` is a block, a group, a text or the number of abandoned blocks; `from` a node or the number of
// adopted blocks; `sent` when what came was sent, which may be before the start, or not a number. Times are in nanoseconds
// since the start.
const events = (() => {
  const count = tables.events;
  const columns = {
    count,
    kind: new Uint8Array(count),
    time: new Float64Array(count),
    node: new Int32Array(count),
    about: new Float64Array(count).fill(-1),
    from: new Float64Array(count).fill(-1),
    sent: new Float64Array(count).fill(NaN),
    // Of a message: which, and 16 times why it was lost, counted from 1; and how many transactions it names.
    name: new Uint8Array(count),
    transactions: new Uint32Array(count),
    // Those at which the tree forks, or a node gives up blocks.
    turns: [],
    // All but messages.
    spare: new Int32Array(count),
    spareCount: 0,
  };
  const { kind, time, node, about, from, sent, name, transactions, turns, spare } = columns;
  const input = reader(bytesOf("events"));
  let now = 0;
  for (let event = 0; event < count; event++) {
    kind[event] = input.byte();
    time[event] = now += input.number();
    node[event] = input.number();
    if (kind[event] !== KIND.message) spare[columns.spareCount++] = event;
    switch (kind[event]) {
      case KIND.mined: {
        const block = about[event] = input.number();
        if (blocks.mined[block] < 0) {
          blocks.mined[block] = event;
          const parent = blocks.parent[block];
          if (parent >= 0 && ++blocks.children[parent] > 1) turns.push(event);
        }
        break;
      }
      case KIND.accepted: {
        about[event] = input.number();
        from[event] = input.number();
        const took = input.number() - 1;
        if (took >= 0) sent[event] = now - took;
        break;
      }
      case KIND.reorganised:
        about[event] = input.number();
        from[event] = input.number();
        turns.push(event);
        break;
      case KIND.message:
        about[event] = input.number() - 1;
        from[event] = input.number();
        sent[event] = now - input.number();
        name[event] = input.number();
        transactions[event] = input.number();
        break;
      case KIND.partitioned:
      case KIND.panicked:
      case KIND.other:
        about[event] = input.number();
        break;
    }
  }
  return columns;
})();
const lastTime = events.count > 0 ? events.time[events.count - 1] : 0;

// The first place in an ordered list, of its first so many, whose value is above another.
function firstAbove(list, count, value) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
