// How things stand after so many events, found from the nearest of the states kept at every so manyth.

const STATE = { absent: 0, up: 1, paused: 2, down: 3 };
const STATES = ["not there yet", "up", "paused", "down"];
const UNCUT = -1;
// The bytes that the states kept may take, and the fewest events between two.
const KEPT_BYTES_MAX = 64e6, BETWEEN_MIN = 2048;

const moment = {
  // How many events have happened.
  count: 0,
  // What each node's tip is, -1 as long as nothing is known of it; whether it takes part; in which group it is cut off.
  tip: new Int32Array(nodeCount).fill(-1),
  state: new Uint8Array(nodeCount).fill(STATE.up),
  group: new Float64Array(nodeCount).fill(UNCUT),
  // How many blocks are known, and the first of the highest.
  known: 0,
  top: -1,
};

function happen(event) {
  const node = events.node[event], about = events.about[event];
  switch (events.kind[event]) {
    case KIND.joined: case KIND.restarted: case KIND.resumed: moment.state[node] = STATE.up; break;
    case KIND.paused: moment.state[node] = STATE.paused; break;
    case KIND.crashed: case KIND.panicked: moment.state[node] = STATE.down; break;
    case KIND.partitioned: moment.group[node] = about; break;
    case KIND.healed: moment.group[node] = UNCUT; break;
    case KIND.mined: case KIND.accepted:
      moment.tip[node] = about;
      if (about >= moment.known) moment.known = about + 1;
      if (moment.top < 0 || blocks.position[about] > blocks.position[moment.top]) moment.top = about;
      break;
  }
  moment.count = event + 1;
}

const kept = (() => {
  for (let event = 0; event < events.count; event++) {
    if (events.kind[event] === KIND.joined) moment.state[events.node[event]] = STATE.absent;
  }
  const between = Math.max(BETWEEN_MIN, Math.ceil((events.count * nodeCount * 13) / KEPT_BYTES_MAX));
  const states = [];
  const keep = () => states.push({
    ...moment, tip: moment.tip.slice(), state: moment.state.slice(), group: moment.group.slice(),
  });
  for (let event = 0; event < events.count; event++) {
    if (event % between === 0) keep();
    happen(event);
  }
  if (events.count === 0) keep();
  return { between, states };
})();

// Goes to the moment after so many events.
function goTo(count) {
  if (count < moment.count || count - moment.count > kept.between) {
    const nearest = kept.states[Math.min(Math.floor(count / kept.between), kept.states.length - 1)];
    for (const list of ["tip", "state", "group"]) moment[list].set(nearest[list]);
    for (const number of ["count", "known", "top"]) moment[number] = nearest[number];
  }
  for (let event = moment.count; event < count; event++) happen(event);
}

// What is under way at a moment: those of the events to come whose messages were sent by then. They are looked for in
// pieces, of which the earliest sending is known.
const PIECE = 64, FLIGHTS_MAX = 3000;
const isFlight = (event) => !Number.isNaN(events.sent[event])
  && (tables.is_traced ? events.kind[event] === KIND.message : events.kind[event] === KIND.accepted);
const earliest = (() => {
  const ofEvents = (from, to) => {
    let first = Infinity;
    for (let event = from; event < to; event++) {
      if (isFlight(event)) first = Math.min(first, events.sent[event]);
    }
    return first;
  };
  const pieces = new Float64Array(Math.ceil(events.count / PIECE));
  pieces.forEach((_, piece) => {
    pieces[piece] = ofEvents(piece * PIECE, Math.min((piece + 1) * PIECE, events.count));
  });
  const heaps = new Float64Array(Math.ceil(pieces.length / PIECE));
  heaps.forEach((_, heap) => {
    heaps[heap] = pieces.subarray(heap * PIECE, (heap + 1) * PIECE).reduce((a, b) => Math.min(a, b), Infinity);
  });
  return { pieces, heaps };
})();

function flights(time) {
  const found = [];
  let event = moment.count;
  while (event < events.count && found.length < FLIGHTS_MAX) {
    if (event % (PIECE * PIECE) === 0 && earliest.heaps[event / (PIECE * PIECE)] > time) {
      event += PIECE * PIECE;
    } else if (event % PIECE === 0 && earliest.pieces[event / PIECE] > time) {
      event += PIECE;
    } else {
      if (isFlight(event) && events.sent[event] <= time) found.push(event);
      event++;
    }
  }
  return found;
}
