// What both pictures need: colours, a place to look at, and texts.

// Okabe and Ito's colours, which the colour-blind tell apart.
const COLOURS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442"];
const WHITE_ON = "#0072b2";

let ink = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  ink = Object.fromEntries(["back", "panel", "ink", "dim", "line", "mark", "focus"]
    .map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Neighbours in the tree differ.
function colourOf(block) {
  return block < 0 ? ink.panel : COLOURS[(blocks.position[block] + 3 * blocks.lane[block]) % COLOURS.length];
}
function textOn(block) {
  return block < 0 ? ink.ink : colourOf(block) === WHITE_ON ? "#ffffff" : "#1b1f24";
}

function seconds(nanos) {
  return `+${(nanos / 1e9).toFixed(3)} s`;
}
function nodeName(node) {
  return tables.names[node];
}
// Within other text, whose direction it must not change.
function nameWithin(node) {
  return `\u2068${nodeName(node)}\u2069`;
}
function blockName(block) {
  return `block ${blocks.position[block]} ${blocks.hash[block].slice(0, 8)}`;
}

function eventText(event) {
  const about = events.about[event], from = events.from[event];
  switch (events.kind[event]) {
    case KIND.joined: return "joined";
    case KIND.mined: return `mined ${blockName(about)}`;
    case KIND.accepted: return `accepted ${blockName(about)} from ${nameWithin(from)}`;
    case KIND.reorganised: return `gave up ${about} for ${from}`;
    case KIND.crashed: return "crashed";
    case KIND.restarted: return "was restarted";
    case KIND.paused: return "was paused";
    case KIND.resumed: return "was resumed";
    case KIND.partitioned: return about === 0 ? "was cut off with the rest" : `was cut off in group ${about}`;
    case KIND.healed: return "is no longer cut off";
    case KIND.message: {
      const name = events.name[event], lost = name >> 4, number = events.transactions[event];
      const block = about < 0 ? "" : ` (${blockName(about)})`;
      const what = tables.messages[name & 15] + block + (number > 0 ? `, ${number} of them named` : "");
      const why = lost > 0 ? `, ${tables.losses[lost - 1]}` : "";
      return `${lost > 0 ? "did not get" : "got"} ${what} from ${nameWithin(from)}${why}`;
    }
    default: return tables.texts[about];
  }
}

// Writes texts that are in sight, but none that would touch one that stands there.
function textsApart(pen, look) {
  const taken = [];
  return (text, x, y, room = look.width) => {
    const [top, bottom] = [y - 11, y + 4];
    if (bottom < 0 || top > look.height) return;
    const width = Math.min(pen.measureText(text).width, room);
    const left = x - (pen.textAlign === "center" ? width / 2 : pen.textAlign === "right" ? width : 0), right = left + width;
    if (right < 0 || left > look.width) return;
    if (taken.some((box) => left < box[1] + 4 && right > box[0] - 4 && top < box[3] && bottom > box[2])) return;
    taken.push([left, right, top, bottom]);
    pen.fillText(text, x, y, room);
  };
}

// A canvas that is looked at from some place: it is drawn in its own measure, and zoomed and dragged.
function lookAt(canvas, draw, click, zooms) {
  const look = { canvas, x: 0, y: 0, zoom: 1, width: 0, height: 0, hasMoved: false };
  look.zoomBy = (factor, x = look.width / 2, y = look.height / 2) => {
    const zoom = Math.min(Math.max(look.zoom * factor, zooms[0]), zooms[1]);
    look.x = x - ((x - look.x) * zoom) / look.zoom;
    look.y = y - ((y - look.y) * zoom) / look.zoom;
    look.zoom = zoom;
  };
  look.panBy = (x, y) => Object.assign(look, { x: look.x + x, y: look.y + y, hasMoved: true });
  look.reset = () => Object.assign(look, { x: 0, y: 0, zoom: 1, hasMoved: false });
  look.draw = () => {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = canvas.getBoundingClientRect();
    Object.assign(look, { width, height });
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    draw(pen, look);
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    look.zoomBy(1.0015 ** -event.deltaY, event.offsetX, event.offsetY);
    show();
  }, { passive: false });
  const fingers = new Map();
  let dragged = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    dragged = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const after = [event.offsetX, event.offsetY];
    const distance = (place, other) => Math.hypot(place[0] - other[0], place[1] - other[1]);
    dragged += distance(before, after);
    if (dragged < 5) return;
    if (others.length > 0) {
      look.zoomBy(distance(after, others[0]) / Math.max(distance(before, others[0]), 1), ...others[0]);
    } else {
      look.panBy(after[0] - before[0], after[1] - before[1]);
    }
    fingers.set(event.pointerId, after);
    show();
  });
  canvas.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (dragged < 5) click(look, event.offsetX, event.offsetY);
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  return look;
}
