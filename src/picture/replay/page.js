// What a person does, and what the page says.

const part = (id) => document.getElementById(id);
const player = {
  // Nanoseconds since the start, and how many times as fast as it was.
  time: 0, speed: 1, isPlaying: false,
  // A node or a block, if any is.
  selected: null,
  withMessages: false, byRegion: false,
};
const SPEEDS = [1e-3, 1e4];
const looks = {
  network: lookAt(part("network"), drawNetwork, (look, x, y) => {
    const node = nodeAt(look, x, y);
    select(node === null ? null : { node });
  }, [0.2, 50]),
  tree: lookAt(part("tree"), drawTree, (look, x, y) => {
    const block = blockAt(look, x, y);
    select(block === null ? null : { block });
  }, [0.05, 4]),
};
let looked = looks.network;

// Goes to a time, with all that has happened by then; or to just after an event, counted from 1.
function seek(time) {
  player.time = Math.floor(Math.min(Math.max(time, 0), lastTime));
  goTo(firstAbove(events.time, events.count, player.time));
  show();
}
function seekEvent(count) {
  const to = Math.min(Math.max(count, 0), events.count);
  player.time = to > 0 ? events.time[to - 1] : 0;
  goTo(to);
  show();
}

// The events that are listed, and how many of them have happened.
const listedCount = () => (player.withMessages ? events.count : events.spareCount);
const listedEvent = (place) => (player.withMessages ? place : events.spare[place]);
const listedBefore = (count) => (player.withMessages ? count : firstAbove(events.spare, events.spareCount, count - 1));

function step(by) {
  pause();
  const place = listedBefore(moment.count) + by - 1;
  if (place < 0) return seekEvent(0);
  // No further than to the last, and not back to it.
  const to = listedCount() > 0 ? listedEvent(Math.min(place, listedCount() - 1)) + 1 : 0;
  if (by < 0 || to > moment.count) seekEvent(to);
}
function turn(by) {
  pause();
  const last = moment.count - 1;
  const place = by > 0 ? firstAbove(events.turns, events.turns.length, last)
    : firstAbove(events.turns, events.turns.length, last - 1) - 1;
  if (place >= 0 && place < events.turns.length) seekEvent(events.turns[place] + 1);
}

function setSpeed(speed) {
  // Two digits of it are enough for anybody, and links stay short.
  player.speed = Number(Math.min(Math.max(speed, SPEEDS[0]), SPEEDS[1]).toPrecision(2));
  show();
}
// Where no frame is drawn, as in a tab that is not looked at, the run waits.
const FRAME_MS_MAX = 250;
let lastFrame = null;
function play() {
  if (moment.count >= events.count) seek(0);
  player.isPlaying = true;
  lastFrame = null;
  show();
}
function pause() {
  player.isPlaying = false;
  show();
}
function advance(now) {
  if (player.isPlaying && lastFrame !== null) {
    const time = player.time + Math.floor(Math.min(now - lastFrame, FRAME_MS_MAX) * 1e6 * player.speed);
    const happened = firstAbove(events.time, events.count, time);
    player.time = Math.min(time, lastTime);
    goTo(Math.max(happened, moment.count));
    if (moment.count >= events.count) player.isPlaying = false;
  }
  lastFrame = now;
}

function select(selected) {
  player.selected = selected;
  show();
}
function selectNext(by) {
  const at = shownNodes.indexOf(player.selected?.node ?? -1);
  const next = at < 0 ? (by > 0 ? 0 : shownNodes.length - 1) : (at + by + shownNodes.length) % shownNodes.length;
  if (shownNodes.length > 0) select({ node: shownNodes[next] });
}
function selectTip() {
  const tip = player.selected?.node !== undefined ? moment.tip[player.selected.node] : moment.top;
  if (tip < 0) return;
  sought = tip;
  select({ block: tip });
}

// Draws once for however much has changed.
let isDue = false;
function show() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame((now) => {
    isDue = false;
    advance(now);
    // What is told takes room from the pictures.
    tell();
    looks.network.draw();
    looks.tree.draw();
    keepAddress(now);
    if (player.isPlaying) show();
  });
}

function tell() {
  part("play").textContent = player.isPlaying ? "Pause" : "Play";
  part("speed").value = Math.log10(player.speed);
  part("speed-text").textContent = `× ${player.speed}`;
  part("seek").value = lastTime > 0 ? player.time / lastTime : 0;
  part("messages").checked = player.withMessages;
  part("regions").checked = player.byRegion;
  part("moment").textContent =
    `${seconds(player.time)} of ${seconds(lastTime)} · event ${moment.count} of ${events.count}`;
  // Nobody can listen to each frame.
  part("moment").ariaLive = player.isPlaying ? "off" : "polite";
  part("seek").ariaValueText = seconds(player.time);
  tellDetails();
  tellList();
}

// The first block that is known of those before a block.
function firstBefore(block) {
  while (blocks.parent[block] >= 0) block = blocks.parent[block];
  return block;
}
const highest = blocks.lane.indexOf(0);
// What becomes of a block. Where some block was told of by nobody who mined it, what stands on it is apart from the rest.
function fate(block) {
  if (blocks.lane[block] === 0) return "in the highest chain";
  return firstBefore(block) === firstBefore(highest) ? "stale" : "not known";
}

function tellDetails() {
  const { node, block } = player.selected ?? {};
  const facts = [];
  let title = "Click a node or a block";
  if (node !== undefined) {
    const tip = moment.tip[node], group = moment.group[node];
    title = nodeName(node);
    facts.push(["number", tables.numbers[node]], ["state", STATES[moment.state[node]]]);
    facts.push(["tip", tip < 0 ? "not known" : blockName(tip)]);
    if (tables.regions[node]) facts.push(["region", tables.regions[node]]);
    if (group !== UNCUT) facts.push(["cut off", group === 0 ? "with all that are in no group" : `group ${group}`]);
  } else if (block !== undefined) {
    const [mined, miner, parent] = [blocks.mined[block], blocks.miner[block], blocks.parent[block]];
    title = `Block ${blocks.position[block]}`;
    facts.push(["hash", `${blocks.hash[block]}…`]);
    if (miner >= 0) facts.push(["miner", nodeName(miner)]);
    if (mined >= 0) facts.push(["mined", seconds(events.time[mined])]);
    if (parent >= 0) facts.push(["stands on", blockName(parent)]);
    facts.push(["tip of", `${shownNodes.filter((each) => moment.tip[each] === block).length} nodes`]);
    facts.push(["in the end", fate(block)]);
  }
  const heading = document.createElement("h2");
  heading.textContent = title;
  const list = document.createElement("dl");
  for (const [name, value] of facts) {
    for (const [tag, text] of [["dt", name], ["dd", value]]) {
      list.appendChild(document.createElement(tag)).textContent = text;
    }
  }
  part("details").replaceChildren(heading, list);
}

// As many lines as there is room for, the last event that has happened in their middle.
const LINE_HEIGHT = 22;
function tellList() {
  const list = part("list");
  const room = Math.max(Math.floor(list.clientHeight / LINE_HEIGHT), 1);
  while (list.children.length < room) {
    const line = list.appendChild(document.createElement("li"));
    line.append(document.createElement("time"), document.createElement("span"));
  }
  while (list.children.length > room) list.lastChild.remove();
  const now = listedBefore(moment.count) - 1;
  const first = Math.max(Math.min(now - (room >> 1), listedCount() - room), 0);
  [...list.children].forEach((line, number) => {
    const place = first + number;
    const event = place < listedCount() ? listedEvent(place) : -1;
    const [time, text] = line.children;
    line.className = event < 0 ? "" : place === now ? "now" : place > now ? "yet" : "";
    line.dataset.event = event;
    time.textContent = event < 0 ? "" : seconds(events.time[event]);
    text.textContent = event < 0 ? "" : `${nameWithin(events.node[event])} ${eventText(event)}`;
  });
}

// The address says what is shown. Browsers ignore who changes it too often.
let addressAt = -Infinity, addressDue = null;
const ADDRESS_EVERY_MS = 500;
function address() {
  const { node, block } = player.selected ?? {};
  const selected = node !== undefined ? `node-${tables.numbers[node]}` : block !== undefined ? blocks.hash[block] : null;
  return [
    ["t", (player.time / 1e9).toFixed(9)], ["event", moment.count], ["speed", player.speed], ["select", selected],
    ["messages", player.withMessages ? 1 : null], ["regions", player.byRegion ? 1 : null],
  ].filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}`).join("&");
}
function keepAddress(now) {
  if (location.hash === `#${address()}`) return;
  const left = ADDRESS_EVERY_MS - (now - addressAt);
  if (left > 0) {
    addressDue ??= setTimeout(() => { addressDue = null; show(); }, left);
    return;
  }
  addressAt = now;
  try {
    history.replaceState(null, "", `#${address()}`);
  } catch {
    // A page within another may have no address that could be changed.
  }
}
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (said.get(name) === null || said.get(name) === "" ? NaN : Number(said.get(name)));
  const selected = said.get("select") ?? "";
  const node = selected.startsWith("node-") ? tables.numbers.indexOf(Number(selected.slice(5))) : -1;
  const block = selected.length === 16 ? blocks.hash.indexOf(selected) : -1;
  player.selected = node >= 0 ? { node } : block >= 0 ? { block } : null;
  sought = player.selected?.block ?? null;
  player.withMessages = said.get("messages") === "1";
  player.byRegion = said.get("regions") === "1" || (said.get("regions") === null && tables.regions.some(Boolean) && !said.has("t"));
  // A run plays in about a minute unless it is told otherwise.
  const speed = number("speed");
  setSpeed(speed > 0 ? speed : 10 ** Math.round(Math.log10(Math.max(lastTime / 60e9, SPEEDS[0]))));
  const time = Math.round(number("t") * 1e9), event = number("event");
  if (event >= 0) {
    seekEvent(Math.floor(event));
    // Between that event and the next.
    const next = moment.count < events.count ? events.time[moment.count] : lastTime;
    if (time > player.time) player.time = Math.min(time, next);
  } else {
    seek(time >= 0 ? time : 0);
  }
}

const PAN = 40;
const ACTS = {
  " ": () => (player.isPlaying ? pause() : play()),
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  PageUp: () => seek(player.time - lastTime / 20), PageDown: () => seek(player.time + lastTime / 20),
  Home: () => seekEvent(0), End: () => seekEvent(events.count),
  f: () => turn(1), F: () => turn(-1),
  ",": () => setSpeed(player.speed / 2), ".": () => setSpeed(player.speed * 2),
  n: () => selectNext(1), N: () => selectNext(-1), b: selectTip, Escape: () => select(null),
  m: () => { player.withMessages = !player.withMessages; },
  r: () => { player.byRegion = !player.byRegion; },
  t: () => {
    looked = looked === looks.network ? looks.tree : looks.network;
    looked.canvas.focus();
  },
  "+": () => looked.zoomBy(1.25), "=": () => looked.zoomBy(1.25), "-": () => looked.zoomBy(0.8),
  0: () => looked.reset(),
  w: () => looked.panBy(0, PAN), s: () => looked.panBy(0, -PAN), a: () => looked.panBy(PAN, 0), d: () => looked.panBy(-PAN, 0),
};
document.addEventListener("keydown", (event) => {
  const isSlider = event.target.type === "range";
  const isButton = event.target.matches("button, input[type=checkbox]");
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(ACTS, event.key)) return;
  if ((isSlider && event.key.length > 1) || (isButton && event.key === " ")) return;
  event.preventDefault();
  ACTS[event.key]();
  show();
});
const onClick = { play: ACTS[" "], back: ACTS.ArrowLeft, forth: ACTS.ArrowRight, "fork-back": ACTS.F, "fork-forth": ACTS.f };
for (const [id, act] of Object.entries(onClick)) part(id).addEventListener("click", act);
part("messages").addEventListener("change", () => { ACTS.m(); show(); });
part("regions").addEventListener("change", () => { ACTS.r(); show(); });
part("seek").addEventListener("input", (event) => seek(event.target.valueAsNumber * lastTime));
part("speed").addEventListener("input", (event) => setSpeed(10 ** event.target.valueAsNumber));
part("list").addEventListener("click", (event) => {
  const chosen = Number(event.target.closest("li")?.dataset.event ?? -1);
  if (chosen >= 0) seekEvent(chosen + 1);
});
part("list").addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.deltaY !== 0) step(Math.sign(event.deltaY) * 3);
}, { passive: false });
for (const look of Object.values(looks)) look.canvas.addEventListener("focus", () => { looked = look; });
window.addEventListener("hashchange", readAddress);
window.addEventListener("resize", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); show(); });

const notices = [];
if (tables.left_out.length > 0) {
  notices.push(`Thinned: ${tables.events} of ${tables.whole} events. Left out: ${tables.left_out.join(", ")}.`);
}
if (!tables.has_all_links) notices.push("There are too many links to draw.");
part("notice").textContent = notices.join(" ");
part("notice").hidden = notices.length === 0;
readColours();
readAddress();

// To look at from outside, and to change nothing.
window.replay = Object.freeze({
  state: () => ({
    time_ns: player.time, event: moment.count, events: events.count, speed: player.speed, is_playing: player.isPlaying,
    selected: player.selected, with_messages: player.withMessages, by_region: player.byRegion, blocks: moment.known,
    under_way: flights(player.time).length, address: address(),
    zoom: { network: looks.network.zoom, tree: looks.tree.zoom },
    blocks_in_sight: inSight(looks.tree),
    nodes: shownNodes.map((node) => ({
      number: tables.numbers[node], name: nodeName(node), state: STATES[moment.state[node]],
      tip: moment.tip[node] < 0 ? null : blocks.hash[moment.tip[node]],
      group: moment.group[node] === UNCUT ? null : moment.group[node],
    })),
  }),
});
