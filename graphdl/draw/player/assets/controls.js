"use strict";

/* The controls: buttons, slider, phases, playing, search, menus and keys. */

const by = (id) => document.getElementById(id);

const controls = {
  speeds: [0.5, 1, 2, 4],
  timer: null,

  start() {
    const moves = { first: "first", back: "back", forth: "forth", last: "last" };
    for (const [id, move] of Object.entries(moves)) by(id).addEventListener("click", () => this[move]());
    by("play").addEventListener("click", () => this.play());
    by("slider").addEventListener("input", (event) => player.go(Number(event.target.value)));
    for (const speed of this.speeds) by("speed").append(new Option(`${speed}×`, speed, speed === 1, speed === 1));
    by("speed").addEventListener("change", () => this.timer && this._tick());
    this._menu("view", stage.keys, (key) => player.setView(key));
    this._menu("granularity", Object.keys(data.steps), (name) => player.setGranularity(name));
    this._menu("theme", ["auto", ...page.THEMES], (name) => player.setTheme(name));
    by("language").addEventListener("click", () => player.setLanguage(page.language() === "ko" ? "en" : "ko"));
    by("print").addEventListener("click", () => handout.ask());
    by("help").addEventListener("click", () => this.help());
    by("zoom-in").addEventListener("click", () => stage.setZoom(stage.zoom * 1.2));
    by("zoom-out").addEventListener("click", () => stage.setZoom(stage.zoom / 1.2));
    this._search();
    document.addEventListener("keydown", (event) => this._key(event));
  },

  _menu(id, names, choose) {
    for (const name of names) by(id).append(new Option(name, name));
    by(id).addEventListener("change", (event) => choose(event.target.value));
  },

  // Moving ---------------------------------------------------------------------------------------------------------

  first() {
    this.pause();
    player.go(0);
  },

  last() {
    this.pause();
    player.go(player.story.steps.length - 1);
  },

  back() {
    this.pause();
    player.go(player.step - 1);
  },

  forth() {
    this.pause();
    player.go(player.step + 1);
  },

  /** To the first step of the phase before, or of the next one. */
  phase(by) {
    this.pause();
    const runs = player.story.runs;
    const now = runs.findIndex((run) => player.step >= run.from && player.step <= run.to);
    const inside = by < 0 && player.step > runs[now].from;
    const next = runs[now + (inside ? 0 : by)];
    if (next) player.go(next.from);
    else if (by > 0) this.last();
  },

  part(name) {
    const run = player.story.runs.find((each) => each.part === name);
    if (run) {
      this.pause();
      player.go(run.from);
    }
  },

  play() {
    if (this.timer) {
      this.pause();
      return;
    }
    if (player.step >= player.story.steps.length - 1) player.go(0);
    by("play").setAttribute("aria-pressed", "true");
    this._tick();
  },

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    by("play").setAttribute("aria-pressed", "false");
  },

  _tick() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      player.go(player.step + 1);
      if (player.step < player.story.steps.length - 1) this._tick();
      else this.pause();
    }, 1400 / Number(by("speed").value));
  },

  // What shows where we are ----------------------------------------------------------------------------------------

  /** The band of phases, as wide as their steps are many. */
  band() {
    const total = player.story.steps.length;
    by("slider").max = total - 1;
    const buttons = player.story.runs.map((run) => {
      const share = Math.max((run.to - run.from + 1) / total, 0.05);
      const attributes = { type: "button", "data-part": run.part, style: `--share: ${share.toFixed(3)}`, "data-from": run.from };
      const made = page.element("button", attributes, say(`phase.${run.part}`));
      made.title = say(`phase.${run.part}`);
      made.addEventListener("click", () => {
        this.pause();
        player.go(run.from);
      });
      return made;
    });
    by("band").replaceChildren(...buttons);
    this.runs = player.story.runs;
  },

  show() {
    const { step, story } = player;
    const phase = say(`phase.${story.step.p}`);
    by("slider").value = step;
    by("slider").setAttribute("aria-valuetext", say("said.step", { k: step + 1, n: story.steps.length, phase }));
    by("counter").textContent = `${phase} · ${step + 1}/${story.steps.length}`;
    by("first").disabled = by("back").disabled = step === 0;
    by("last").disabled = by("forth").disabled = step === story.steps.length - 1;
    const now = this.runs.findIndex((run) => step >= run.from && step <= run.to);
    if (now === this.run) return;
    [...by("band").children].forEach((button, i) => button.setAttribute("aria-current", String(i === now)));
    by("player").dataset.part = this.runs[now].part;
    this.run = now;
  },

  /** Every text of the interface, in the language of the page. */
  words() {
    for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
    const title = player.title();
    by("title").textContent = title;
    document.title = title;
    by("language").textContent = say("language");
    by("language").lang = page.language() === "ko" ? "en" : "ko";
    by("note").hidden = !data.start.note;
    if (data.start.note) by("note").textContent = say(data.start.note, { count: data.count });
    this._labels();
    for (const option of by("view").options) option.text = viewTitle(option.value);
    for (const option of by("granularity").options) option.text = say(`by.${option.value}`);
    for (const option of by("theme").options) option.text = say(`theme.${option.value}`);
    this.run = -1;
    this.band();
  },

  _labels() {
    const labels = {
      first: "first", back: "back", play: "play", forth: "forth", last: "last", slider: "slider", search: "search",
      help: "help", stage: "stage", formula: "formula", code: "code", controls: "controls", values: "asTable",
      "zoom-in": "zoomIn", "zoom-out": "zoomOut", view: "view", granularity: "detail", theme: "theme", speed: "speed",
    };
    for (const [id, key] of Object.entries(labels)) {
      by(id).setAttribute("aria-label", say(key));
      if (by(id).tagName === "BUTTON") by(id).title = say(key);
    }
    for (const id of ["stage", "formula", "code", "values", "controls"]) by(id).setAttribute("role", "region");
    by("search").placeholder = `${say("search")}  /`;
  },

  // Search ---------------------------------------------------------------------------------------------------------

  _search() {
    const field = by("search");
    field.addEventListener("input", () => this._find(field.value));
    field.addEventListener("focus", () => field.value && this._find(field.value));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this._first();
      else if (event.key === "ArrowDown" && by("found").querySelector("button")) by("found").querySelector("button").focus();
      else if (event.key === "Escape") this.closeSearch(true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    by("found").addEventListener("keydown", (event) => this._walk(event));
    document.addEventListener("pointerdown", (event) => event.target.closest(".search") || this.closeSearch(false));
  },

  /** The nodes whose name, symbol, operation or scope has the words. */
  _find(words) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const all = (node) => [node.symbol, node.op, node.scope, node.kind, node.shape].join(" ").toLowerCase();
    const hits = wanted.length ? data.nodes.filter((node) => wanted.every((word) => all(node).includes(word))) : [];
    hits.sort((a, b) => this._rank(a, wanted[0]) - this._rank(b, wanted[0]));
    for (const group of stage.now.svg.querySelectorAll(".found-here")) group.classList.remove("found-here");
    for (const node of hits) for (const name of stage.now.named(node.id)) stage.now.groups.get(name).classList.add("found-here");
    const items = hits.slice(0, 30).map((node) => page.element("li", {}, this._hit(node)));
    if (wanted.length && !items.length) items.push(page.element("li", { class: "muted" }, say("nothing")));
    by("found").replaceChildren(...items);
    by("found").hidden = !wanted.length;
  },

  /** First what is called exactly so, then what begins so. */
  _rank(node, word) {
    const symbol = node.symbol.toLowerCase();
    return symbol === word ? 0 : symbol.startsWith(word) ? 1 : 2;
  },

  _hit(node) {
    const more = [node.op, node.scope, node.shape].filter((text) => text && text !== node.symbol).join(" · ");
    return page.element(
      "button",
      { type: "button", onclick: () => this._choose(node.id) },
      node.symbol,
      page.element("span", { class: "muted" }, `  ${more}`),
    );
  },

  _first() {
    const button = by("found").querySelector("button");
    if (button) button.click();
  },

  _choose(id) {
    this.closeSearch(false);
    const shown = stage.now.named(id).length ? id : ((nodeOf.get(id).gradientFor || [])[0] ?? id);
    if (card.id !== shown) card.pin(shown);
    stage.reveal(shown);
    const name = stage.now.named(shown)[0];
    if (name) stage.now.groups.get(name).focus({ preventScroll: true });
  },

  _walk(event) {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way) return;
    const buttons = [...by("found").querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + way];
    (next || by("search")).focus();
    event.preventDefault();
    event.stopPropagation();
  },

  closeSearch(andClear) {
    by("found").hidden = true;
    for (const group of stage.now.svg.querySelectorAll(".found-here")) group.classList.remove("found-here");
    if (andClear) {
      by("search").value = "";
      by("search").blur();
    }
  },

  // Help -----------------------------------------------------------------------------------------------------------

  help() {
    const keys = [
      ["← →", "step"], ["Shift ← →", "phase"], ["Home End", "ends"], ["Space", "play"], ["1 2 3 4 5", "phases"],
      ["Tab", "tab"], ["Enter", "enter"], ["Esc", "escape"], ["/", "search"], ["c e", "fold"], ["v", "view"],
      ["g", "detail"], ["+ − 0", "zoom"], ["t", "table"], ["d", "theme"], ["l", "language"], ["p", "print"],
    ];
    const rows = keys.map(([names, key]) =>
      page.element(
        "tr",
        {},
        page.element("th", { scope: "row" }, ...names.split(" ").flatMap((name) => [page.element("kbd", {}, name), " "])),
        page.element("td", {}, say(`key.${key}`)),
      ),
    );
    this.dialog(say("help"), page.element("table", {}, page.element("tbody", {}, ...rows)), page.element("p", { class: "muted" }, say("states")));
  },

  /** A dialog with a title, its content, and a way out. */
  dialog(title, ...content) {
    const box = by("dialog");
    const close = page.element("button", { type: "button", onclick: () => this.closeDialog() }, say("close"));
    box.replaceChildren(page.element("h2", { id: "dialog-title" }, title), ...content, page.element("div", { class: "row" }, close));
    box.setAttribute("aria-labelledby", "dialog-title");
    if (box.open) return;
    if (box.showModal) box.showModal();
    else box.setAttribute("open", "");
  },

  closeDialog() {
    const box = by("dialog");
    if (box.close) box.close();
    else box.removeAttribute("open");
  },

  // Keys -----------------------------------------------------------------------------------------------------------

  _key(event) {
    if (event.defaultPrevented || page.isTyping(event)) return;
    const dialogOpen = by("dialog").open;
    if (event.key === "Escape") {
      this._escape();
      return;
    }
    if (dialogOpen) return;
    const onButton = event.target.closest && event.target.closest("button, summary, a");
    if (onButton && (event.key === " " || event.key === "Enter")) return;
    const action = this._action(event);
    if (!action) return;
    event.preventDefault();
    action();
  },

  _action(event) {
    const shift = event.shiftKey;
    const group = event.target.closest && event.target.closest("g[data-id]");
    const keys = {
      ArrowRight: () => (shift ? this.phase(1) : this.forth()),
      ArrowLeft: () => (shift ? this.phase(-1) : this.back()),
      Home: () => this.first(),
      End: () => this.last(),
      " ": () => this.play(),
      "/": () => by("search").focus(),
      "?": () => this.help(),
      c: () => player.fold(-1),
      e: () => player.fold(1),
      v: () => player.setView(following(stage.keys, player.view)),
      g: () => player.setGranularity(following(Object.keys(data.steps), player.story.name)),
      d: () => player.setTheme(following(page.THEMES, page.theme())),
      l: () => player.setLanguage(page.language() === "ko" ? "en" : "ko"),
      p: () => handout.ask(),
      t: () => table.toggle(),
      "+": () => stage.setZoom(stage.zoom * 1.2),
      "=": () => stage.setZoom(stage.zoom * 1.2),
      "-": () => stage.setZoom(stage.zoom / 1.2),
      0: () => stage.setZoom(1),
    };
    PARTS.forEach((part, i) => (keys[i + 1] = () => this.part(part)));
    if (group) keys.Enter = () => this._enter(group.dataset.id);
    return keys[event.key] || keys[event.key.toLowerCase()] || keys[latin(event)];
  },

  /** On a node: to its next step, and hold on to it. */
  _enter(name) {
    const id = name;
    player.goToNext(nodeOf.has(id) ? [id] : stage.now.membersOf.get(id));
    if (card.id !== id) card.pin(id);
  },

  _escape() {
    if (by("dialog").open) this.closeDialog();
    else if (!by("found").hidden) this.closeSearch(true);
    else if (table.open) table.toggle();
    else if (card.pinned) card.unpin();
    else card.hide();
  },
};

/** The letter on a key, where the keyboard writes Hangul. */
function latin(event) {
  return /^Key[A-Z]$/.test(event.code) && !/^[ -~]$/.test(event.key) ? event.code[3].toLowerCase() : "";
}

function following(list, current) {
  return list[(list.indexOf(current) + 1) % list.length];
}

function viewTitle(key) {
  const { title } = data.views.find((view) => view.key === key);
  return title[page.language()] || title.en || key;
}
