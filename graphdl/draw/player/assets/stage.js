"use strict";

/* The stage: one picture a view. Nothing in a picture ever moves; steps write texts and switch classes. */

class Picture {
  constructor(holder, view) {
    this.holder = holder;
    this.key = view.key;
    this.svg = holder.querySelector("svg");
    this.slots = new Map();
    this.waiting = new Map();
    this.groups = new Map();
    this.membersOf = new Map();
    this.groupsOf = new Map();
    this.wiresOf = new Map();
    this.current = new Set();
    this.boxes = new Map();
    for (const group of this.svg.querySelectorAll("g[id]")) this._read(group, group.id.replace(/^[^-]*-/, ""));
  }

  /** What a group stands for, what it shows, and what its lane waits for. */
  _read(group, id) {
    const members = group.dataset.nodes ? group.dataset.nodes.split(" ") : nodeOf.has(id) ? [id] : [];
    const edges = group.dataset.edges ? group.dataset.edges.split(" ") : [id];
    const isThing = group.classList.contains("node") || group.classList.contains("block");
    this.groups.set(id, group);
    this.membersOf.set(id, members);
    if (isThing) for (const member of members) listIn(this.groupsOf, member).push(id);
    else for (const edge of edges) listIn(this.wiresOf, edge).push(id);
    const marks = [...group.querySelectorAll("[data-slot]")];
    for (const mark of marks) {
      const record = { mark, group, isText: mark.tagName === "text", before: mark.dataset.before || "" };
      listIn(this.slots, mark.dataset.slot).push(record);
    }
    this._await(group, marks.map((mark) => mark.dataset.slot), edges, nodeOf.get(id));
    if (!isThing) return;
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.dataset.id = id;
  }

  /** A lane back, or a node of the gradient graph, is faint until its gradient is there. */
  _await(group, slots, edges, node) {
    const isGradient = node !== undefined && node.kind.includes("gradient");
    if (!isGradient && !group.querySelector(".lane")) return;
    const gradients = isGradient ? slots : slots.filter((slot) => !slot.startsWith("v:"));
    for (const slot of gradients.length || isGradient ? gradients : edges.map((edge) => `l:${edge}`)) {
      listIn(this.waiting, slot).push(group);
    }
  }

  /** Writes what the slots show after a step. */
  write(story, slots) {
    for (const slot of slots) {
      this._writeOne(story, slot);
      if (slot.startsWith("g:")) for (const kind of ["d:", "b:"]) this._writeOne(story, kind + slot.slice(2));
    }
  }

  _writeOne(story, slot) {
    if (slot.startsWith("s:")) this._age(story, slot.slice(2));
    for (const { mark, group, isText, before } of this.slots.get(slot) || []) {
      const shown = story.text(slot);
      if (isText) mark.textContent = shown ? before + shown : "";
      else mark.classList.toggle("absent", !shown);
      if (slot[0] === "g") group.classList.toggle("is-zero", shown === "0");
    }
    for (const group of this.waiting.get(slot) || []) group.classList.toggle("todo", !story.has(slot));
  }

  _age(story, id) {
    for (const name of this.groupsOf.get(id) || []) {
      if (this.membersOf.get(name).length === 1) this.groups.get(name).classList.toggle("stale", story.isStale(id));
    }
  }

  /** Everything, as it must be when this picture comes into view. */
  writeAll(story) {
    const slots = [...this.slots.keys(), ...this.waiting.keys(), ...[...this.groupsOf.keys()].map((id) => `s:${id}`)];
    for (const slot of new Set(slots)) this._writeOne(story, slot);
    this.light(story.step);
  }

  /** The groups where a step happens: nodes first. */
  activeIn(step) {
    const wanted = new Set();
    for (const id of step.a || []) for (const name of this.groupsOf.get(id) || []) wanted.add(name);
    for (const id of gradientsOf(step)) for (const name of this.groupsOf.get(id) || []) wanted.add(name);
    for (const id of step.e || []) for (const name of this.wiresOf.get(id) || []) wanted.add(name);
    return wanted;
  }

  /** The group that a step is about. */
  mainOf(step) {
    return (this.groupsOf.get(step.n) || [])[0] || [...this.activeIn(step)][0];
  }

  /** The active nodes and wires of a step. */
  light(step) {
    const wanted = this.activeIn(step);
    for (const name of this.current) if (!wanted.has(name)) this.groups.get(name).classList.remove("on");
    for (const name of wanted) if (!this.current.has(name)) this._glow(this.groups.get(name)).classList.add("on");
    this.current = wanted;
  }

  /** A wire glows along itself; shapes have their glow from the start. */
  _glow(group) {
    const wire = group.querySelector(".wire");
    if (wire && !group.querySelector(".active")) {
      const glow = document.createElementNS(wire.namespaceURI, "path");
      glow.setAttribute("d", wire.getAttribute("d"));
      glow.setAttribute("class", "active glow");
      group.prepend(glow);
    }
    return group;
  }

  /** The groups that stand for a node or a group's name. */
  named(id) {
    if (this.groupsOf.has(id)) return this.groupsOf.get(id);
    return this.groups.has(id) ? [id] : [];
  }

  /** The place of a group in the picture, which never changes. */
  box(name) {
    if (!this.boxes.has(name)) {
      const shape = this.groups.get(name).querySelector(".shape") || this.groups.get(name);
      this.boxes.set(name, shape.getBBox());
    }
    return this.boxes.get(name);
  }
}

// Below this width of the stage a picture that would be scrolled sideways gives way to one in narrow rows.
const NARROW = 600;

const stage = {
  zoom: 1,
  pictures: new Map(),

  start() {
    for (const holder of document.querySelectorAll(".picture")) {
      const view = data.views.find((each) => each.key === holder.dataset.view);
      this.pictures.set(view.key, { holder, view });
    }
    this.scroll = document.getElementById("scroll");
    this.keys = [...this.pictures.keys()];
  },

  /** The picture of a view, read when it is first needed. */
  picture(key) {
    const found = this.pictures.get(key);
    if (!(found instanceof Picture)) this.pictures.set(key, new Picture(found.holder, found.view));
    return this.pictures.get(key);
  },

  /** Show another view; what the reader looks at stays where it is on the screen. */
  show(key, story, anchorId) {
    const before = this.picked(anchorId);
    for (const [name, { holder }] of this.pictures) holder.hidden = name !== key;
    this.now = this.picture(key);
    this.now.writeAll(story);
    this.size();
    const after = this.picked(anchorId);
    if (before && after) {
      this.scroll.scrollLeft += after.x - before.x;
      this.scroll.scrollTop += after.y - before.y;
    }
    this.now.holder.classList.remove("coming");
    void this.now.holder.offsetWidth;
    this.now.holder.classList.add("coming");
    this.label();
  },

  /** The view to begin with: the first, or on a narrow stage the same in narrow rows. */
  suited() {
    const room = this.scroll.clientWidth;
    const own = Number(this.pictures.get(this.keys[0]).holder.querySelector("svg").getAttribute("width"));
    return this.keys.includes("narrow") && room < NARROW && room < own ? "narrow" : this.keys[0];
  },

  picked(id) {
    const name = this.now && (this.now.named(id)[0] || this.now.mainOf(player.story.step));
    return name ? this.now.groups.get(name).getBoundingClientRect() : null;
  },

  /** As large as there is room, from three quarters of its own size (or the zoom) to a third more. */
  size() {
    const svg = this.now.svg;
    const own = Number(svg.getAttribute("width"));
    const high = Number(svg.getAttribute("height"));
    const room = { x: this.scroll.clientWidth - 4, y: this.scroll.clientHeight - 4 };
    const fit = Math.min(room.x / own, Math.max(room.y / high, 0.9));
    const scale = Math.min(Math.max(fit, 0.72), 1.45) * this.zoom;
    this.now.holder.style.setProperty("--zoom", scale.toFixed(3));
    this.scale = scale;
  },

  setZoom(zoom) {
    this.zoom = Math.min(Math.max(zoom, 0.25), 4);
    this.size();
  },

  /** Scroll so that what happens is in sight. It reads the layout, so it comes before anything is written. */
  follow() {
    const { step } = player.story;
    const name = this.now.mainOf(step);
    if (!name) return;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const each of [name, ...this.now.activeIn(step)].slice(0, 12)) {
      const box = this.now.box(each);
      left = Math.min(left, box.x);
      top = Math.min(top, box.y);
      right = Math.max(right, box.x + box.width);
      bottom = Math.max(bottom, box.y + box.height);
    }
    if (right - left > this.scroll.clientWidth / this.scale) {
      const box = this.now.box(name);
      [left, right] = [box.x, box.x + box.width];
    }
    this._into(left - 70, right + 90, "scrollLeft", "clientWidth", this._inset("x"));
    this._into(top - 40, bottom + 50, "scrollTop", "clientHeight", this._inset("y"));
  },

  /** Scroll so that a node, or the group it is in, is in sight. */
  reveal(id) {
    const [name] = this.now.named(id);
    if (!name) return;
    const { x, y, width, height } = this.now.box(name);
    this._into(x - 70, x + width + 90, "scrollLeft", "clientWidth", this._inset("x"));
    this._into(y - 40, y + height + 50, "scrollTop", "clientHeight", this._inset("y"));
  },

  /** The views that show the whole graph, from the coarsest to the finest; "narrow" is the first once more. */
  byFineness() {
    const count = (key) => this.pictures.get(key).holder.querySelectorAll("g.node, g.block").length;
    const whole = this.keys.filter((key) => !key.startsWith("open:") && key !== "narrow");
    return whole.sort((a, b) => count(a) - count(b));
  },

  /** The view in which only this block is open. */
  opening(id) {
    const [name] = id ? this.now.named(id) : [];
    const scope = name && this.now.groups.get(name).dataset.scope;
    return this.keys.find((key) => scope && key === `open:${scope}`);
  },

  _inset(axis) {
    const size = axis === "x" ? "width" : "height";
    const room = axis === "x" ? this.scroll.clientWidth : this.scroll.clientHeight;
    return Math.max(0, (room - Number(this.now.svg.getAttribute(size)) * this.scale) / 2);
  },

  _into(from, to, position, room, inset) {
    const start = from * this.scale + inset;
    const end = to * this.scale + inset;
    const seen = this.scroll[position];
    const size = this.scroll[room];
    if (start < seen) this.scroll[position] = Math.max(0, end - start > size ? start : (start + end - size) / 2);
    else if (end > seen + size) this.scroll[position] = end - start > size ? start : (start + end - size) / 2;
  },

  /** Sentences for those who hear the picture; those of `ids`, or all. */
  label(ids) {
    const names = ids ? ids.flatMap((id) => this.now.named(id)) : this.now.groups.keys();
    for (const name of names) {
      const group = this.now.groups.get(name);
      if (group.dataset.id) group.setAttribute("aria-label", sentence(name, this.now.membersOf.get(name)));
    }
    if (!ids) this._words();
  },

  /** The words that a picture has from the start, in the language of the page. */
  _words() {
    for (const text of this.now.svg.querySelectorAll(".legend text, .role, .row:not([data-slot])")) {
      text.dataset.said = text.dataset.said || text.textContent;
      text.textContent = inLanguage(text.dataset.said);
    }
  },
};

/** What a picture says in English, in the language of the page; names stay as they are. */
function inLanguage(said) {
  if (page.language() === "en") return said;
  if (Object.hasOwn(data.korean, said)) return data.korean[said];
  for (const [pattern, korean] of data.phrases) {
    const found = new RegExp(pattern).exec(said);
    if (found) return korean.replace(/\{(\d)\}/g, (_, place) => found[place]);
  }
  return said;
}
