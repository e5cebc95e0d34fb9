// The nodes, their links, and what is under way between them.

const shownNodes = (() => {
  const hidden = new Set(tables.hidden);
  return Array.from({ length: nodeCount }, (_, node) => node).filter((node) => !hidden.has(node));
})();
const NAMED_MAX = 40, ROUND_MAX = 150, GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

// Places in a circle of radius 1: on its rim, or all over it if they are many; and how far apart they are.
function placeIn(members, x, y, radius, places) {
  const count = members.length;
  members.forEach((node, number) => {
    const isRound = count <= ROUND_MAX;
    const turn = isRound ? (2 * Math.PI * number) / count - Math.PI / 2 : number * GOLDEN_ANGLE;
    const out = count === 1 ? 0 : isRound ? radius : radius * Math.sqrt((number + 0.5) / count);
    places[node] = [x + out * Math.cos(turn), y + out * Math.sin(turn)];
  });
  return count <= ROUND_MAX ? (2 * Math.PI * radius) / count : radius * Math.sqrt(Math.PI / count);
}

function roundLayout() {
  const places = [];
  return { places, apart: placeIn(shownNodes, 0, 0, 1, places), labels: [] };
}

function regionLayout() {
  const regions = new Map();
  for (const node of shownNodes) {
    const region = tables.regions[node] ?? "elsewhere";
    if (!regions.has(region)) regions.set(region, []);
    regions.get(region).push(node);
  }
  const places = [], labels = [];
  const radius = regions.size === 1 ? 0.8 : Math.min(0.34, 1.9 / regions.size);
  let apart = Infinity, number = 0;
  for (const [name, members] of regions) {
    const turn = (2 * Math.PI * number++) / regions.size - Math.PI / 2;
    const out = regions.size === 1 ? 0 : 0.68;
    const [x, y] = [out * Math.cos(turn), out * Math.sin(turn)];
    apart = Math.min(apart, placeIn(members, x, y, radius * 0.85, places));
    labels.push([name, x, y - radius - 0.04]);
  }
  return { places, apart, labels };
}

const layouts = { round: roundLayout(), regions: tables.regions.some(Boolean) ? regionLayout() : null };
const layout = () => (player.byRegion && layouts.regions ? layouts.regions : layouts.round);

// Where a node is drawn, and how large.
function geometry(look) {
  const { places, apart } = layout();
  const isNamed = shownNodes.length <= NAMED_MAX;
  const radius = Math.max(Math.min(look.width / 2 - (isNamed ? 90 : 20), look.height / 2 - (isNamed ? 34 : 20)), 40);
  const at = (node) => [0, 1].map((axis) => {
    const middle = axis === 0 ? look.width / 2 : look.height / 2;
    return look[axis === 0 ? "x" : "y"] + look.zoom * (middle + radius * places[node][axis]);
  });
  const size = Math.min(Math.max(0.36 * apart * radius * look.zoom, 2.5), 16);
  return { at, size, radius };
}

function drawNetwork(pen, look) {
  const { at, size, radius } = geometry(look);
  const spots = [];
  for (const node of shownNodes) spots[node] = at(node);
  drawLinks(pen, spots);
  for (const event of flights(player.time)) drawFlight(pen, spots, event);
  shownNodes.forEach((node) => drawNode(pen, spots[node], size, node));
  const write = textsApart(pen, look);
  pen.textAlign = "center";
  pen.fillStyle = ink.dim;
  for (const [name, x, y] of layout().labels) {
    write(name, look.x + look.zoom * (look.width / 2 + radius * x), look.y + look.zoom * (look.height / 2 + radius * y));
  }
  drawNames(pen, look, spots, size, write);
}

function drawLinks(pen, spots) {
  const whole = new Path2D(), cut = new Path2D();
  for (let place = 0; place < tables.links.length; place += 2) {
    const [one, other] = [tables.links[place], tables.links[place + 1]];
    if (!spots[one] || !spots[other]) continue;
    // Who joined while others were cut off is in no group either.
    const path = Math.max(moment.group[one], 0) === Math.max(moment.group[other], 0) ? whole : cut;
    path.moveTo(...spots[one]);
    path.lineTo(...spots[other]);
  }
  pen.lineWidth = 1;
  pen.globalAlpha = tables.links.length > 1000 ? 0.35 : 1;
  pen.strokeStyle = ink.line;
  pen.stroke(whole);
  pen.strokeStyle = ink.mark;
  pen.setLineDash([2, 6]);
  pen.stroke(cut);
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

function drawFlight(pen, spots, event) {
  const [from, to] = [spots[events.from[event]], spots[events.node[event]]];
  if (!from || !to) return;
  const took = events.time[event] - events.sent[event];
  const way = took > 0 ? Math.min((player.time - events.sent[event]) / took, 1) : 1;
  const [x, y] = [0, 1].map((axis) => from[axis] + way * (to[axis] - from[axis]));
  const block = events.about[event];
  pen.strokeStyle = ink.ink;
  pen.fillStyle = block < 0 ? ink.dim : colourOf(block);
  if (events.name[event] >> 4 > 0) {
    pen.strokeStyle = ink.mark;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(x - 4, y - 4), pen.lineTo(x + 4, y + 4), pen.moveTo(x + 4, y - 4), pen.lineTo(x - 4, y + 4);
    pen.stroke();
    pen.lineWidth = 1;
  } else if (block < 0) {
    pen.fillRect(x - 1.5, y - 1.5, 3, 3);
  } else {
    pen.fillRect(x - 4, y - 4, 8, 8);
    pen.strokeRect(x - 4, y - 4, 8, 8);
  }
}

function drawNode(pen, [x, y], size, node) {
  const tip = moment.tip[node], state = moment.state[node];
  pen.globalAlpha = state === STATE.absent ? 0.25 : 1;
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fillStyle = state === STATE.down ? ink.back : colourOf(tip);
  pen.fill();
  pen.lineWidth = size < 6 ? 0.5 : 1.5;
  pen.strokeStyle = ink.ink;
  pen.stroke();
  if (player.selected?.node === node) {
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(x, y, size + 4, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.lineWidth = 2;
  if (state === STATE.down || state === STATE.paused) {
    const arm = size * 0.5;
    pen.strokeStyle = state === STATE.down ? ink.mark : textOn(tip);
    pen.beginPath();
    const slant = state === STATE.down ? arm : 0;
    pen.moveTo(x - arm, y - arm), pen.lineTo(x - arm + 2 * slant, y + arm);
    pen.moveTo(x + arm, y - arm), pen.lineTo(x + arm - 2 * slant, y + arm);
    pen.stroke();
  } else if (size >= 9) {
    pen.fillStyle = textOn(tip);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(String(tables.numbers[node]), x, y + 0.5, 2 * size - 3);
    pen.textBaseline = "alphabetic";
  }
  pen.lineWidth = 1;
  pen.globalAlpha = 1;
}

// Names beside their nodes, away from the middle, where there is room; and what their tips' positions are.
function drawNames(pen, look, spots, size, write) {
  if (shownNodes.length > NAMED_MAX && size < 14) return;
  pen.fillStyle = ink.ink;
  const middle = look.x + look.zoom * (look.width / 2);
  for (const node of shownNodes) {
    const [x, y] = spots[node];
    const tip = moment.tip[node], group = moment.group[node];
    const at = tip < 0 ? "" : ` · ${blocks.position[tip]}`;
    const cut = group === UNCUT ? "" : group === 0 ? " · cut" : ` · cut ${group}`;
    const isRight = x > middle + 1, isMiddle = Math.abs(x - middle) <= 1;
    pen.textAlign = isMiddle ? "center" : isRight ? "left" : "right";
    const top = isMiddle && y < look.y + (look.zoom * look.height) / 2;
    const beside = isMiddle ? 0 : (size + 8) * (isRight ? 1 : -1);
    // By characters, of which some are two in a string.
    const name = [...nodeName(node)];
    const short = name.length > 10 ? `${name.slice(0, 9).join("")}…` : name.join("");
    // As wide as there is room for.
    const room = Math.max(isMiddle ? look.width : isRight ? look.width - x - beside - 4 : x + beside - 4, 24);
    write(`\u2068${short}\u2069${at}${cut}`, x + beside, isMiddle ? y + (top ? -size - 8 : size + 17) : y + 4, room);
  }
}

function nodeAt(look, x, y) {
  const { at, size } = geometry(look);
  const near = (node) => Math.hypot(at(node)[0] - x, at(node)[1] - y);
  let nearest = null;
  for (const node of shownNodes) if (nearest === null || near(node) < near(nearest)) nearest = node;
  return nearest !== null && near(nearest) <= Math.max(size, 8) + 3 ? nearest : null;
}
