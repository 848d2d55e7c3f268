"use strict";

/* The handout: a page a step, made from what the stage shows, in light colours. */

const handout = {
  most: 200,
  range: "all",
  twoUp: false,

  start() {
    this.box = by("handout");
    window.addEventListener("beforeprint", () => this.box.childElementCount || this.build());
    window.addEventListener("afterprint", () => this.clear());
  },

  /** What to print. */
  ask() {
    controls.pause();
    const { steps } = player.story;
    const run = player.story.runs.find((each) => player.step >= each.from && player.step <= each.to);
    if (steps.length > this.most && this.range === "all") this.range = "one";
    const choice = page.element("select", { id: "sheet-range" });
    choice.append(new Option(say("sheet.all", { n: steps.length }), "all", false, this.range === "all"));
    choice.append(new Option(say("sheet.phase", { n: run.to - run.from + 1 }), "phase", false, this.range === "phase"));
    choice.append(new Option(say("sheet.one"), "one", false, this.range === "one"));
    choice.options[0].disabled = steps.length > this.most;
    const two = page.element("input", { type: "checkbox", id: "sheet-two", checked: this.twoUp });
    const go = page.element("button", { type: "button", id: "sheet-go" }, say("sheet.go"));
    go.addEventListener("click", () => {
      this.range = choice.value;
      this.twoUp = two.checked;
      controls.closeDialog();
      this.print();
    });
    const row = page.element(
      "div",
      { class: "row" },
      page.element("label", {}, `${say("sheet.range")} `, choice),
      page.element("label", {}, two, ` ${say("sheet.twoUp")}`),
      go,
    );
    const note = steps.length > this.most ? page.element("p", { class: "muted" }, say("sheet.tooMany", { n: this.most })) : null;
    controls.dialog(say("sheet.title"), row, note || "");
    go.focus();
  },

  print() {
    this.build();
    try {
      window.print();
    } catch {
      this.clear();
    }
  },

  /** A sheet for each step of the range; then the player is where it was. */
  build() {
    this.clear();
    const { step } = player;
    this.theme = page.chosenTheme();
    page.setTheme(page.theme() === "dark" ? "light" : page.theme());
    const sheets = this._steps().map((k) => {
      player.go(k, true);
      return this._sheet(k);
    });
    player.go(step, true);
    this.box.classList.toggle("two-up", this.twoUp);
    this.box.replaceChildren(...sheets);
  },

  _steps() {
    const { runs, steps } = player.story;
    const run = runs.find((each) => player.step >= each.from && player.step <= each.to);
    const [from, to] = { all: [0, steps.length - 1], phase: [run.from, run.to], one: [player.step, player.step] }[this.range];
    const last = Math.min(to, from + this.most - 1);
    return Array.from({ length: last - from + 1 }, (_, i) => from + i);
  },

  _sheet(k) {
    const { story } = player;
    const svg = stage.now.svg.cloneNode(true);
    for (const element of [svg, ...svg.querySelectorAll("[id]")]) element.removeAttribute("id");
    for (const element of svg.querySelectorAll("[tabindex]")) element.removeAttribute("tabindex");
    svg.removeAttribute("aria-labelledby");
    const head = page.element("header", {}, page.element("span", {}, player.title()), page.element("span", {}, by("counter").textContent));
    const caption = panels.caption.cloneNode(true);
    caption.removeAttribute("id");
    caption.removeAttribute("role");
    caption.removeAttribute("aria-live");
    const blocks = (story.step.m || []).map((block) => panels.block(block));
    const lines = (story.step.l || []).map((number) => data.code[number - 1]);
    const code = lines.length ? page.element("pre", {}, lines.join("\n")) : "";
    const picture = page.element("div", { class: "picture" });
    picture.append(svg);
    return page.element("section", { class: "sheet", "data-step": k, "data-part": story.part(k) }, head, picture, caption, page.element("div", { class: "blocks" }, ...blocks), code);
  },

  clear() {
    if (!this.box.childElementCount) return;
    this.box.replaceChildren();
    page.setTheme(this.theme || "");
  },
};
