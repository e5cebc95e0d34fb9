// The tree of blocks as far as it has grown: height to the right, each branch in its lane.

const STEP = 30, LANE = 46, BOX = 22, TOP = 48, DRAWN_MAX = 6000;

// All blocks by their positions, and those positions.
const byPosition = (() => {
  const capped = (block) => Math.min(blocks.position[block], 2 ** 32);
  const keys = new Float64Array(blocks.count);
  for (let block = 0; block < blocks.count; block++) keys[block] = capped(block) * blocks.count + block;
  keys.sort();
  const order = new Int32Array(blocks.count), positions = new Float64Array(blocks.count);
  keys.forEach((key, place) => {
    order[place] = key % blocks.count;
    positions[place] = blocks.position[order[place]];
  });
  return { order, positions };
})();

const blockX = (look, block) => look.x + look.zoom * STEP * blocks.position[block];
const blockY = (look, block) => look.y + TOP + look.zoom * LANE * blocks.lane[block];

// The blocks that are there and in sight.
function inSight(look) {
  const at = (x) => (x - look.x) / (look.zoom * STEP);
  const { order, positions } = byPosition;
  const found = [];
  const first = firstAbove(positions, blocks.count, at(-2 * STEP));
  for (let place = first; place < blocks.count && positions[place] < at(look.width + STEP); place++) {
    const block = order[place], y = blockY(look, block);
    if (block < moment.known && y > -BOX && y < look.height + LANE * look.zoom) found.push(block);
    if (found.length >= DRAWN_MAX) break;
  }
  return found;
}

// A block that is to be in sight when the tree is drawn next.
let sought = null;
function bringIntoSight(look, block) {
  const isOut = (at, size) => at < BOX || at > size - BOX;
  const [x, y] = [blockX(look, block), blockY(look, block)];
  if (isOut(x, look.width) || isOut(y, look.height)) look.panBy(look.width / 2 - x, look.height / 2 - y);
}

function drawTree(pen, look) {
  if (!look.hasMoved && moment.top >= 0) {
    look.x = look.width - 64 - look.zoom * STEP * blocks.position[moment.top];
  }
  if (sought !== null) bringIntoSight(look, sought);
  sought = null;
  const found = inSight(look);
  const box = BOX * Math.min(look.zoom, 1.6);
  drawParents(pen, look, found);
  const standing = new Map();
  for (const node of shownNodes) {
    const tip = moment.tip[node];
    if (tip >= 0 && moment.state[node] !== STATE.absent) standing.set(tip, (standing.get(tip) ?? 0) + 1);
  }
  pen.textAlign = "center";
  for (const block of found) {
    const [x, y] = [blockX(look, block), blockY(look, block)];
    pen.fillStyle = colourOf(block);
    pen.strokeStyle = ink.ink;
    pen.lineWidth = box < 8 ? 0.5 : 1.2;
    pen.fillRect(x - box / 2, y - box / 2, box, box);
    pen.strokeRect(x - box / 2, y - box / 2, box, box);
    if (player.selected?.block === block) {
      pen.lineWidth = 2.5;
      pen.strokeRect(x - box / 2 - 4, y - box / 2 - 4, box + 8, box + 8);
    }
    if (box >= 15) {
      pen.fillStyle = textOn(block);
      pen.textBaseline = "middle";
      pen.fillText(String(blocks.position[block]), x, y + 0.5, box - 2);
      pen.textBaseline = "alphabetic";
    }
    const here = standing.get(block);
    if (here && box >= 6) {
      pen.fillStyle = ink.ink;
      pen.beginPath();
      pen.moveTo(x, y - box / 2 - 2), pen.lineTo(x - 4, y - box / 2 - 7), pen.lineTo(x + 4, y - box / 2 - 7);
      pen.fill();
      if (box >= 15) pen.fillText(String(here), x, y - box / 2 - 10, STEP * look.zoom);
    }
  }
  pen.textAlign = "left";
  pen.fillStyle = ink.dim;
  const count = moment.known;
  pen.fillText(`${count} ${count === 1 ? "block" : "blocks"}; ▼ nodes that stand there`, 8, 14);
  pen.lineWidth = 1;
}

function drawParents(pen, look, found) {
  const straight = new Path2D(), stale = new Path2D();
  for (const block of found) {
    const parent = blocks.parent[block];
    if (parent < 0) continue;
    const [x, y, px, py] = [blockX(look, block), blockY(look, block), blockX(look, parent), blockY(look, parent)];
    const path = blocks.lane[block] === 0 ? straight : stale;
    path.moveTo(px, py);
    path.bezierCurveTo(px + (x - px) / 2, py, px, y, x, y);
  }
  pen.strokeStyle = ink.ink;
  pen.lineWidth = 2;
  pen.stroke(straight);
  pen.strokeStyle = ink.dim;
  pen.lineWidth = 1;
  pen.stroke(stale);
}

function blockAt(look, x, y) {
  const near = Math.max((BOX * look.zoom) / 2, 8);
  const isHere = (block) => Math.abs(blockX(look, block) - x) <= near && Math.abs(blockY(look, block) - y) <= near;
  return inSight(look).find(isHere) ?? null;
}
