"use strict";

/* The story: the data of the page by id, and for each granularity the steps, which can be walked both ways. */

const data = page.data;
for (const node of data.nodes) for (const key of ["origin", "source", "scope"]) node[key] = data.strings[node[key] || 0];
const nodeOf = new Map(data.nodes.map((node) => [node.id, node]));
const lanesOf = new Map();
const readersOf = new Map();
const lineNodes = new Map();

function listIn(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

for (const node of data.nodes) {
  for (const input of new Set(node.inputs || [])) listIn(readersOf, input).push(node.id);
  for (const line of node.code || []) listIn(lineNodes, line).push(node.id);
}
const gradientNodeOf = new Map();
for (const node of data.nodes) for (const id of node.gradientFor || []) gradientNodeOf.set(id, node.id);
for (const [id, source, target, rule] of data.edges) listIn(lanesOf, target).push({ id, source, rule });

/** A text of the interface in the page's language, with its places filled. */
function say(key, places) {
  const text = data.texts[page.language()][key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return places ? text.replace(/\{(\w+)\}/g, (_, name) => places[name]) : text;
}

/* The five that the number keys and the band know, by the phases of steps. */
const PARTS = ["graph", "forward", "backward", "summary", "update"];
const PART_OF = {
  graph: "graph",
  feed: "graph",
  forward: "forward",
  loss: "forward",
  seed: "backward",
  backward: "backward",
  summary: "summary",
  update: "update",
  again: "update",
};

/** Slots for the gradients of several nodes have long names, and are numbered in the steps. */
function slotNamed(name) {
  return /^r:\d+$/.test(name) ? data.ranges[Number(name.slice(2))] : name;
}

/** Steps of one granularity. `now` maps each slot to what it shows; `undo` is what each step replaces. */
class Story {
  constructor(name) {
    this.name = name;
    this.steps = data.steps[name];
    for (const step of this.steps) for (const change of step.x || []) change[0] = slotNamed(change[0]);
    this.undo = [];
    this.involves = new Map();
    this.rewind();
    this.steps.forEach((step, k) => this._learn(step, k));
    this.rewind();
  }

  rewind() {
    this.now = new Map();
    this.at = -1;
  }

  /** Takes step k for the first time: remembers what it replaces, and which nodes it is about. */
  _learn(step, k) {
    const replaced = [];
    for (const [slot] of step.x || []) replaced.push([slot, this.now.get(slot)]);
    this.undo.push(replaced.reverse());
    this._apply(step);
    for (const id of new Set([step.n, ...(step.a || [])])) if (id) listIn(this.involves, id).push(k);
  }

  _apply(step) {
    for (const [slot, text, exact] of step.x || []) {
      if (slot.startsWith("s:")) this.now.set(slot, text);
      else this.now.set(slot, { text: data.strings[text], exact: data.strings[exact === undefined ? text : exact] });
    }
  }

  /** Walks to step k; returns the slots that may show something else now. */
  go(k) {
    const touched = new Set();
    while (this.at < k) {
      this.at += 1;
      this._apply(this.steps[this.at]);
      for (const [slot] of this.steps[this.at].x || []) touched.add(slot);
    }
    while (this.at > k) {
      for (const [slot, before] of this.undo[this.at]) {
        if (before === undefined) this.now.delete(slot);
        else this.now.set(slot, before);
        touched.add(slot);
      }
      this.at -= 1;
    }
    return touched;
  }

  get step() {
    return this.steps[this.at];
  }

  /** What has come to a slot. Gradients alone, and bars, are there when the gradient row is. */
  found(slot) {
    const own = this.now.get(slot);
    return own === undefined && /^[db]:/.test(slot) ? this.now.get(`g:${slot.slice(2)}`) : own;
  }

  has(slot) {
    return this.found(slot) !== undefined;
  }

  text(slot) {
    const found = this.found(slot);
    return found ? found.text : "";
  }

  exact(slot) {
    const found = this.found(slot);
    return found ? found.exact : "";
  }

  isStale(id) {
    return this.now.get(`s:${id}`) === 1;
  }

  /** The step by operation where we are, which all granularities share. */
  get place() {
    return this.step.at;
  }

  /** The last step that ends no later than `place`. */
  stepAt(place) {
    let found = 0;
    this.steps.forEach((step, k) => {
      if (step.at <= place) found = k;
    });
    return found;
  }

  part(k) {
    return PART_OF[this.steps[k].p];
  }

  /** Runs of steps of one part: `{part, from, to}`. */
  get runs() {
    const runs = [];
    this.steps.forEach((step, k) => {
      const part = this.part(k);
      const last = runs[runs.length - 1];
      if (last && last.part === part) last.to = k;
      else runs.push({ part, from: k, to: k });
    });
    return runs;
  }

  /** The next step that is about one of these nodes, from the start again behind the last. */
  nextAbout(ids) {
    const steps = ids.flatMap((id) => this.involves.get(id) || []).sort((a, b) => a - b);
    const next = steps.find((k) => k > this.at);
    return next === undefined ? steps[0] : next;
  }
}

/** The nodes of the gradient graph that a step computes. */
function gradientsOf(step) {
  const found = [];
  for (const [slot] of step.x || []) {
    const id = slot.slice(2);
    if (slot.startsWith("g:") && gradientNodeOf.has(id)) found.push(gradientNodeOf.get(id));
    else if (slot.startsWith("v:") && nodeOf.get(id).kind.includes("gradient")) found.push(id);
  }
  return found;
}

const stories = new Map();

function storyOf(name) {
  if (!stories.has(name)) stories.set(name, new Story(name));
  return stories.get(name);
}
