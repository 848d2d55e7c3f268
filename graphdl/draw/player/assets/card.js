"use strict";

/* The card of a node or a block: what it is, its numbers now, where it comes from and where it goes. */

/** What a number is, in words: nothing yet, not asked for, or its text. */
function gradientSaid(node) {
  if (!node.needs) return say("notRequired");
  const found = player.story.text(`d:${node.id}`);
  return found || say("noGradientYet");
}

/** Where the number of a node comes from: a whole gradient is that of the first node it belongs to. */
function slotOf(node) {
  return node.gradientFor ? `d:${node.gradientFor[0]}` : `v:${node.id}`;
}

/** A node or block as a sentence. */
function sentence(name, members) {
  if (!nodeOf.has(name) && members.length !== 1) {
    return say("said.block", { symbol: stage.titleOf(name), n: members.length });
  }
  const node = nodeOf.get(nodeOf.has(name) ? name : members[0]);
  const parts = [say("said.node", { op: node.op, symbol: node.symbol })];
  const value = player.story.text(slotOf(node));
  if (value && value !== node.symbol) parts[0] += ` ${say("said.equals", { value })}`;
  else if (!value) parts.push(say("notYet"));
  if (player.story.isStale(node.id)) parts.push(say("stale"));
  if (data.hasBackward && !node.kind.includes("gradient")) {
    const slope = player.story.text(`d:${node.id}`);
    parts.push(slope ? say("said.gradient", { value: slope }) : gradientSaid(node));
  }
  return parts.join(", ");
}

stage.titleOf = function titleOf(name) {
  const title = this.now.groups.get(name).querySelector(".name");
  return title ? title.textContent : name;
};

const card = {
  id: null,
  pinned: false,

  start() {
    this.box = document.getElementById("card");
    const board = document.getElementById("pictures");
    const found = (event) => event.target.closest && event.target.closest("g[data-id]");
    board.addEventListener("pointerover", (event) => this._hover(found(event), event));
    board.addEventListener("pointerleave", () => this._leave());
    board.addEventListener("focusin", (event) => found(event) && this._look(found(event).dataset.id));
    board.addEventListener("focusout", () => this._leave());
    board.addEventListener("click", (event) => {
      const group = found(event);
      if (group) this.pin(group.dataset.id);
      else this.unpin();
    });
  },

  _hover(group, event) {
    if (event.pointerType === "touch") return;
    if (group) this._look(group.dataset.id);
    else this._leave();
  },

  /** Look at a group without holding on to it. */
  _look(name) {
    if (this.pinned || this.seen === name) return;
    this.seen = name;
    this.show(name);
    panels.lightLines(this._members(name));
  },

  _leave() {
    if (this.pinned) return;
    this.seen = null;
    this.hide();
    panels.lightLines([]);
  },

  _members(name) {
    return stage.now.membersOf.get(name) || [name];
  },

  /** Hold on to a node or group; the permalink names it. Once more lets go. */
  pin(id) {
    if (this.pinned && this.id === id) {
      this.unpin();
      return;
    }
    this.unpin();
    this.id = id;
    this.pinned = true;
    this.seen = null;
    const name = stage.now.named(id)[0];
    for (const each of stage.now.named(id)) stage.now.groups.get(each).classList.add("picked");
    this.show(name || id);
    panels.lightLines(nodeOf.has(id) ? [id] : this._members(id));
    page.remember({ x: id });
  },

  unpin() {
    if (!this.pinned) return;
    for (const group of stage.now.svg.querySelectorAll(".picked")) group.classList.remove("picked");
    this.pinned = false;
    this.id = null;
    this.hide();
    panels.lightLines([]);
    page.remember({ x: null });
  },

  hide() {
    this.box.hidden = true;
  },

  /** Fill the card for what is shown or pinned, after a step or in another language. */
  refresh() {
    if (this.box.hidden) return;
    this.show(this.name);
  },

  show(name) {
    this.name = name;
    const node = this.pinned && nodeOf.has(this.id) ? nodeOf.get(this.id) : this._single(name);
    this.box.replaceChildren(...(node ? this._node(node) : this._block(name)));
    this.box.hidden = false;
    this.box.inert = !this.pinned;
    this.box.classList.toggle("pinned", this.pinned);
    this._place(name);
  },

  _single(name) {
    const members = this._members(name);
    return nodeOf.get(nodeOf.has(name) ? name : members.length === 1 ? members[0] : "");
  },

  _head(title, id) {
    const close = { type: "button", onclick: () => this.unpin(), "aria-label": say("close") };
    const next = { type: "button", onclick: () => player.goToNext([id]) };
    const tools = this.pinned
      ? [page.element("button", next, say("card.next")), page.element("button", close, "×")]
      : [];
    return page.element("header", {}, page.element("h2", {}, title), page.element("span", {}, ...tools));
  },

  _node(node) {
    const rows = page.element("dl");
    const story = player.story;
    const put = (key, ...said) => {
      if (said.some(Boolean)) rows.append(page.element("dt", {}, say(key)), page.element("dd", {}, ...said));
    };
    put("card.op", node.op === node.kind ? node.op : `${node.op} (${node.kind})`);
    put("card.formula", this._long(node.formula && `${node.symbol} = ${node.formula}`));
    put("card.shape", `${node.dtype} ${node.shape}`);
    put("card.value", this._number(slotOf(node), "value") || say("notYet"), story.isStale(node.id) ? ` (${say("stale")})` : "");
    if (data.hasBackward && !node.kind.includes("gradient")) {
      put("card.gradient", this._number(`g:${node.id}`, "gradient") || gradientSaid(node));
    }
    put("card.locals", this._locals(node));
    put("card.gradientOf", this._links(node.gradientFor));
    put("card.rule", node.rule);
    put("card.scope", this._long(node.scope));
    put("card.source", this._long(node.source ? `${node.origin}  ${node.source}` : node.origin));
    put("card.inputs", this._links(node.inputs));
    put("card.readers", this._links(readersOf.get(node.id)));
    put("card.code", (node.code || []).join(", "));
    return [this._head(node.symbol, node.id), rows];
  },

  _long(text) {
    return text ? page.element("span", { class: "long" }, text) : "";
  },

  _number(slot, kind) {
    const exact = player.story.exact(slot);
    return exact ? page.element("span", { class: `exact ${kind}` }, exact) : null;
  },

  _locals(node) {
    const lanes = (lanesOf.get(node.id) || []).filter((lane) => lane.rule);
    if (!lanes.length) return "";
    const said = lanes.slice(0, 6).map(({ source, rule }) => page.element("div", {}, `${nodeOf.get(source).symbol}: ${rule}`));
    return page.element("div", {}, ...said);
  },

  /** Buttons that lead to other nodes. */
  _links(ids) {
    if (!ids || !ids.length) return "";
    const unique = [...new Set(ids)];
    const buttons = unique.slice(0, 8).map((id) =>
      page.element("button", { type: "button", onclick: () => this._follow(id) }, nodeOf.get(id).symbol),
    );
    const more = unique.length > 8 ? say("more", { n: unique.length - 8 }) : "";
    return page.element("span", { class: "links" }, ...buttons, more);
  },

  _follow(id) {
    this.pinned = this.pinned && this.id !== id;
    this.pin(id);
    stage.reveal(id);
  },

  _block(name) {
    const members = this._members(name);
    const rows = page.element("dl");
    rows.append(page.element("dt", {}, say("card.holds")), page.element("dd", {}, this._links(members)));
    return [this._head(stage.titleOf(name), name), rows];
  },

  /** Beside the group, inside the stage: below it, above it, or at a side; over it only where nothing else is free. */
  _place(name) {
    const group = stage.now.groups.get(name);
    const outer = this.box.parentElement.getBoundingClientRect();
    const { width, height } = this.box.getBoundingClientRect();
    const [wide, high] = [outer.width - width - 4, outer.height - height - 4];
    let [left, top] = [wide - 8, high];
    if (group) {
      const at = (group.querySelector(".shape") || group).getBoundingClientRect();
      const [x, y, right, bottom] = [at.left - outer.left, at.top - outer.top, at.right - outer.left, at.bottom - outer.top];
      const middle = (x + right - width) / 2;
      const below = Math.min(high, bottom + 34);
      if (bottom + 34 <= high) [left, top] = [middle, bottom + 34];
      else if (y - height - 30 >= 4) [left, top] = [middle, y - height - 30];
      else if (right + 20 <= wide) [left, top] = [right + 20, below];
      else if (x - width - 20 >= 4) [left, top] = [x - width - 20, below];
      else [left, top] = [middle, high];
    }
    this.box.style.left = `${Math.max(4, Math.min(left, wide))}px`;
    this.box.style.top = `${Math.max(4, Math.min(top, high))}px`;
  },
};

/** All values as a table, for those who hear the page and those who want to read across. */
const table = {
  start() {
    this.box = document.getElementById("values");
    this.button = document.getElementById("as-table");
    this.button.addEventListener("click", () => this.toggle());
  },

  get open() {
    return !this.box.hidden;
  },

  toggle() {
    this.box.hidden = this.open;
    document.getElementById("stage").hidden = this.open;
    this.button.setAttribute("aria-pressed", String(this.open));
    card.unpin();
    if (this.open) this.fill();
    else stage.size();
  },

  fill() {
    const heads = ["table.node", "table.op", "table.kind", "card.shape", "card.value"];
    if (data.hasBackward) heads.push("card.gradient");
    const body = page.element("tbody", {}, ...data.nodes.map((node) => this._row(node)));
    const head = page.element("tr", {}, ...heads.map((key) => page.element("th", { scope: "col" }, say(key))));
    const caption = page.element("caption", { class: "aloud" }, say("table.caption", { k: player.step + 1 }));
    this.box.replaceChildren(page.element("table", {}, caption, page.element("thead", {}, head), body));
  },

  _row(node) {
    const story = player.story;
    const active = (story.step.a || []).includes(node.id);
    const cells = [node.op, node.kind, node.shape, story.text(slotOf(node))];
    if (data.hasBackward) cells.push(node.kind.includes("gradient") ? "" : node.needs ? story.text(`d:${node.id}`) : "—");
    return page.element(
      "tr",
      { class: active ? "now" : null, "data-node": node.id },
      page.element("th", { scope: "row" }, node.symbol),
      ...cells.map((text, i) => page.element("td", { class: ["", "", "", "value", "gradient"][i] || null }, text || "")),
    );
  },
};
