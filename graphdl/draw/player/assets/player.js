"use strict";

/* The player: where we are in the story, and everything that follows from it. */

const player = {
  both: data.start.both,
  step: 0,
  view: "",
  // Whether the author or the reader chose the view; else it goes by the width of the stage.
  chosen: false,

  start() {
    stage.start();
    panels.start();
    card.start();
    table.start();
    controls.start();
    handout.start();
    page.on("state", () => this.follow());
    page.on("language", () => this._language());
    window.addEventListener("resize", () => this._resized());
    const wanted = page.state();
    if (wanted.l === "en" || wanted.l === "ko") document.documentElement.lang = wanted.l;
    if (wanted.ui === "min") document.body.classList.add("bare");
    if (page.THEMES.includes(wanted.t)) page.setTheme(wanted.t);
    by("theme").value = page.chosenTheme() || "auto";
    this.story = storyOf(wanted.g in data.steps ? wanted.g : data.start.granularity);
    this._choose(stage.keys.includes(wanted.v) ? wanted.v : data.start.view);
    this.step = this._valid(Number(wanted.s) - 1, data.start.step);
    by("granularity").value = this.story.name;
    by("view").value = this.view;
    this.story.go(this.step);
    controls.words();
    stage.show(this.view, this.story);
    this._follow();
    this._tell();
    if (this._isThere(wanted.x)) card.pin(wanted.x);
  },

  _valid(step, otherwise) {
    return Number.isInteger(step) && step >= 0 ? Math.min(step, this.story.steps.length - 1) : otherwise;
  },

  /** The view that was chosen, or without one that which suits the width of the stage. */
  _choose(key) {
    this.chosen = key !== "";
    this.view = key || stage.suited();
  },

  _resized() {
    if (table.open) return;
    const suited = stage.suited();
    if (this.chosen || suited === this.view) stage.size();
    else this._show(suited);
  },

  _isThere(id) {
    return id !== undefined && (nodeOf.has(id) || stage.now.named(id).length > 0);
  },

  title() {
    return data.start.title || say(data.loss ? "title" : "forwardTitle", { loss: data.loss });
  },

  /** To step k; `quietly` leaves the address as it is. */
  go(k, quietly) {
    const next = Math.min(Math.max(k, 0), this.story.steps.length - 1);
    const touched = this.story.go(next);
    const moved = next !== this.step;
    this.step = next;
    this._follow();
    stage.now.write(this.story, touched);
    stage.now.light(this.story.step);
    stage.label([...new Set([...touched].map((slot) => slot.slice(2)))]);
    this._tell();
    if (moved && !quietly) page.remember({ s: next + 1 });
  },

  /** Scroll to where the step happens: what reads the layout comes before what changes it. */
  _follow() {
    if (!table.open) stage.follow();
    panels.showLines(this.story.step);
  },

  /** What follows from the step, apart from the picture. */
  _tell() {
    panels.show(this.story.step);
    controls.show();
    if (table.open) table.fill();
    else card.refresh();
  },

  goToNext(ids) {
    const next = this.story.nextAbout(ids);
    controls.pause();
    if (next !== undefined) this.go(next);
  },

  setView(key) {
    this.chosen = true;
    this._show(key);
    page.remember({ v: key });
  },

  _show(key) {
    const picked = card.id;
    card.unpin();
    this.view = key;
    by("view").value = key;
    stage.show(key, this.story, picked);
    stage.follow();
    if (picked && stage.now.named(picked).length) card.pin(picked);
  },

  /** A coarser (−1) or finer (1) view; on a block that can be opened alone, that. */
  fold(way) {
    const own = way > 0 ? stage.opening(card.id) : undefined;
    const order = stage.byFineness();
    const now = this.view === "narrow" ? stage.keys[0] : this.view;
    const next = own || order[order.indexOf(now) + way] || (order.includes(now) ? undefined : order[0]);
    if (next) this.setView(next);
  },

  /** Other steps of the same story, at the same place in it. */
  setGranularity(name) {
    const place = this.story.place;
    controls.pause();
    this.story = storyOf(name);
    this.step = this.story.stepAt(place);
    this.story.go(this.step);
    by("granularity").value = name;
    controls.run = -1;
    controls.band();
    this._follow();
    stage.now.writeAll(this.story);
    stage.label();
    this._tell();
    page.remember({ g: name, s: this.step + 1 });
  },

  setTheme(name) {
    page.setTheme(name === "auto" ? "" : name);
    by("theme").value = name;
    page.remember({ t: name === "auto" ? null : name });
  },

  setLanguage(name) {
    page.setLanguage(name);
    page.remember({ l: name });
  },

  _language() {
    controls.words();
    controls.show();
    stage.label();
    panels.show(this.story.step);
    card.refresh();
    if (table.open) table.fill();
  },

  /** The address was changed by hand or by a link: go where it says. */
  follow() {
    const wanted = page.state();
    if (wanted.l === "en" || wanted.l === "ko") wanted.l === page.language() || page.setLanguage(wanted.l);
    if (page.THEMES.includes(wanted.t)) this.setTheme(wanted.t);
    document.body.classList.toggle("bare", wanted.ui === "min");
    if (wanted.g in data.steps && wanted.g !== this.story.name) this.setGranularity(wanted.g);
    if (stage.keys.includes(wanted.v) && wanted.v !== this.view) this.setView(wanted.v);
    this.go(this._valid(Number(wanted.s) - 1, this.step), true);
    if (this._isThere(wanted.x) && card.id !== wanted.x) card.pin(wanted.x);
    else if (wanted.x === undefined) card.unpin();
  },
};

player.start();
