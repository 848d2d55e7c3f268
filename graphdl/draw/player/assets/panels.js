"use strict";

/* Caption, formula and program of the step. Formulas come as a table of elements; nothing is ever parsed as markup. */

const MATHML = "http://www.w3.org/1998/Math/MathML";
const TAGS = new Set("math mrow mi mn mo mtext msub msup msubsup munder mfrac msqrt".split(" "));
const ATTRIBUTES = new Set("class mathvariant stretchy form displaystyle".split(" "));
const ROLES = new Set(["downstream", "upstream", "local"]);

/** The element with this number in the table of formulas. */
function formula(number) {
  const [tag, attributes, ...children] = data.formulas[number];
  if (!TAGS.has(tag)) throw new Error(`${tag} is no element of a formula`);
  const made = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes || {})) if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  const isRole = attributes && attributes.class === "role";
  for (const child of children) {
    if (typeof child === "number") made.append(formula(child));
    else made.append(isRole && ROLES.has(child) ? say(child) : child);
  }
  return made;
}

/* Browsers do not break formulas: each is set as several, which begin with one of these signs. */
const SIGNS = new Set(["=", "≈", "+", "−", "→", "·", "⊙"]);

/** A formula in pieces between which a line may break. */
function pieces(whole) {
  const made = [];
  for (const part of [...whole.childNodes]) {
    const isSign = part.localName === "mo" && SIGNS.has(part.textContent) && part.getAttribute("form") !== "prefix";
    if (!made.length || isSign) made.push(whole.cloneNode(false));
    if (isSign) part.setAttribute("form", "infix");
    made[made.length - 1].append(part);
  }
  return made.flatMap((piece) => [piece, page.element("wbr")]);
}

const panels = {
  start() {
    this.caption = document.getElementById("caption");
    this.formula = document.getElementById("formula");
    this.code = document.getElementById("code");
    this.lines = [];
    this.list = data.code.length ? page.element("ol", {}, ...data.code.map((line, i) => this._line(line, i + 1))) : this._none();
    this.code.append(this._head(), this.list, this._executed());
    this.lit = [];
    this.current = [];
  },

  /** The title, and what switches to the program that is run. */
  _head() {
    const head = page.element("div", { class: "head" }, page.element("h2", { "data-text": "code" }));
    if (!data.executed.length) return head;
    this.other = page.element("button", { id: "executed", type: "button", "aria-pressed": "false", "data-text": "asExecuted" });
    this.other.addEventListener("click", () => this._switch(this.list.hidden));
    head.append(this.other);
    return head;
  },

  /** The optimised program. It is read beside the other: its lines belong to no step. */
  _executed() {
    const lines = data.executed.map((line) => page.element("li", {}, ...this._said(line)));
    const note = page.element("p", { class: "muted", "data-text": "executedNote" });
    this.run = page.element("div", { hidden: true }, note, page.element("ol", {}, ...lines));
    return this.run;
  },

  _switch(isStudied) {
    this.list.hidden = !isStudied;
    this.run.hidden = isStudied;
    this.other.setAttribute("aria-pressed", String(!isStudied));
    this.code.scrollTop = 0;
    if (isStudied && this.current.length) this._reveal(this.current);
  },

  /** A line of a program, its comment muted. */
  _said(line) {
    const cut = line.indexOf("  #");
    return cut < 0 ? [line || " "] : [line.slice(0, cut), page.element("span", { class: "comment" }, line.slice(cut))];
  },

  _none() {
    return page.element("p", { class: "muted", "data-text": "noCode" });
  },

  /** A line of the program; the nodes it computes light up with it. */
  _line(line, number) {
    const linked = lineNodes.has(number);
    const item = page.element("li", { "data-line": number, class: linked ? "linked" : null }, ...this._said(line));
    if (linked) {
      item.addEventListener("pointerenter", () => this.lightNodes(lineNodes.get(number)));
      item.addEventListener("pointerleave", () => this.lightNodes([]));
      item.addEventListener("click", () => card.pin(this._nearest(lineNodes.get(number))));
    }
    this.lines.push(item);
    return item;
  },

  /** Of the nodes of a line the one that the picture shows. */
  _nearest(ids) {
    const shown = ids.find((id) => stage.now.named(id).length);
    if (shown) return shown;
    return ids.flatMap((id) => nodeOf.get(id).gradientFor || []).find((id) => stage.now.named(id).length) || ids[0];
  },

  lightNodes(ids) {
    for (const group of stage.lit || []) group.classList.remove("lit");
    const names = ids.flatMap((id) => [id, ...(nodeOf.get(id).gradientFor || [])]).flatMap((id) => stage.now.named(id));
    stage.lit = [...new Set(names)].map((name) => stage.now.groups.get(name));
    for (const group of stage.lit) group.classList.add("lit");
  },

  /** Light the lines that compute these nodes. */
  lightLines(ids) {
    for (const item of this.lit) item.classList.remove("lit");
    const numbers = new Set(ids.flatMap((id) => (nodeOf.get(id) || {}).code || []));
    this.lit = [...numbers].map((number) => this.lines[number - 1]).filter(Boolean);
    for (const item of this.lit) item.classList.add("lit");
    if (this.lit.length) this._reveal(this.lit);
  },

  show(step) {
    const languages = player.both ? [0, 1] : [page.language() === "ko" ? 1 : 0];
    const said = (step.c || []).length ? languages.map((i) => data.strings[step.c[i]]).join("\n") : say(`phase.${step.p}`);
    this.caption.textContent = said;
    this._showFormula(step);
  },

  _showFormula(step) {
    const blocks = (step.m || []).map((block) => this.block(block));
    const title = page.element("h2", {}, say("formula"));
    const none = page.element("p", { class: "muted" }, say("noFormula"));
    this.formula.replaceChildren(title, blocks.length ? page.element("div", { class: "blocks" }, ...blocks) : none);
  },

  /** The lines for one wire, or for the op. */
  block({ edge, lines }) {
    const made = page.element("div", { class: "block" }, ...lines.map((line) => this._formulaLine(line)));
    const wire = stage.now.groups.get(edge);
    if (wire) {
      made.addEventListener("pointerenter", () => wire.classList.add("lit"));
      made.addEventListener("pointerleave", () => wire.classList.remove("lit"));
    }
    return made;
  },

  _formulaLine([kind, number, ...more]) {
    if (kind === "why") return page.element("p", { class: "why muted" }, say("whySum", { n: number }));
    if (kind === "more") return page.element("p", { class: "muted" }, say("more", { n: number }));
    if (kind === "part") {
      const rest = page.element("span", { class: "numbers" }, more.join(""));
      return page.element("div", { class: "part" }, ...pieces(formula(number)), rest);
    }
    const what = kind === "sumOf" ? "sum" : kind;
    const said = page.element("span", { class: "said" });
    if (kind === "arrival") said.append(say("arrival", { k: number, n: more[0] }));
    else said.append(...pieces(formula(number)));
    if (kind === "sumOf") said.append(` = ${say("sumOf", { n: more[0] })}`);
    return page.element("div", { class: `line ${kind}` }, page.element("span", { class: "what" }, say(`line.${what}`)), said);
  },

  /** Mark the lines of the program. It reads the layout, so it comes before anything else is written. */
  showLines(step) {
    const wanted = (step.l || []).map((number) => this.lines[number - 1]).filter(Boolean);
    if (wanted.length) this._reveal(wanted);
    if (this.formula.scrollTop) this.formula.scrollTop = 0;
    for (const item of this.current) item.classList.remove("now");
    for (const item of wanted) item.classList.add("now");
    this.current = wanted;
  },

  /** Scroll the program, and nothing else, so that the first of these lines is in sight. */
  _reveal(items) {
    if (this.list.hidden) return;
    const line = items[0].offsetHeight || 20;
    const top = Number(items[0].dataset.line) * line;
    const last = Number(items[items.length - 1].dataset.line) * line + line;
    const { scrollTop, clientHeight } = this.code;
    const bottom = Math.min(last, top + clientHeight - 2 * line);
    // The title stays on top of the first line.
    if (top < scrollTop + 2 * line) this.code.scrollTop = Math.max(0, top - 3 * line);
    else if (bottom > scrollTop + clientHeight - line) this.code.scrollTop = bottom - clientHeight + 2 * line;
  },
};
