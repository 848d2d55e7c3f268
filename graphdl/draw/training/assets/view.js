"use strict";

/* The page: what is shown, the slider and the keys, and everything told when the snapshot changes. */

(() => {
  const { number, logRange } = scales;
  const find = (id) => document.getElementById(id);
  const runs = page.data.runs;
  const steps = [...new Set(runs.flatMap((run) => run.snapshots.map((s) => s.step)))].sort((a, b) => a - b);
  const prefersStill = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const text = (key) => page.data.texts[page.language()][key] || key;

  const view = {
    runs,
    text,
    colours: page.data.colours,
    logX: true,
    logY: isWide(),
    kernelNorms,
    normRange: logRange(runs.flatMap((run) => run.snapshots.flatMap((s) => kernelNorms(run, s)))),
    runColour: (place) => {
      const palette = page.data.colours.runs[page.theme()] || page.data.colours.runs.light;
      return palette[place % palette.length];
    },
  };
  let at = steps.length - 1;
  let drawn = [];
  let timer = null;

  /** The norm of the gradient of each layer's kernel: null where it is not finite, undefined where it is not trained. */
  function kernelNorms(run, snapshot) {
    const found = run.layers.map(() => undefined);
    run.weights.forEach(([, layer, isKernel], i) => {
      if (isKernel && layer !== null) found[layer] = snapshot.gradients[i];
    });
    return found;
  }

  /** The last snapshot that a run took up to `step`. */
  function upTo(run, step) {
    let found = run.snapshots[0];
    for (const snapshot of run.snapshots) if (snapshot.step <= step) found = snapshot;
    return found;
  }

  function widthOf(cell) {
    return Math.max(240, Math.floor(cell.clientWidth));
  }

  /** Build all charts for the widths and the theme there are. */
  function build() {
    drawn = [];
    const names = [...new Set(runs.flatMap((run) => run.names))];
    fill("curves", names, (name, _, cell) => {
      const chart = charts.curves(view, name, widthOf(cell));
      followPointer(chart);
      return { node: chart.node, show: (shown, step) => chart.show(shown, step) };
    });
    perRun("gradients", charts.bars);
    find("surface").hidden = !runs.some((run) => run.surface);
    perRun("surface", (...rest) => (runs[rest[1]].surface ? surfaces.surface(...rest) : null));
    perRun("histograms", charts.histograms);
    legend();
    show();
  }

  function fill(section, items, make) {
    const cells = items.map(() => page.element("div", { class: "cell" }));
    find(`${section}-cells`).replaceChildren(...cells);
    items.forEach((item, place) => {
      const chart = make(item, place, cells[place]);
      if (!chart) return;
      cells[place].append(chart.node);
      drawn.push(chart.show);
    });
  }

  function perRun(section, make) {
    fill(section, runs, (run, place, cell) => {
      if (runs.length > 1) cell.append(heading(run, place, section === "gradients"));
      const chart = make(view, place, widthOf(cell));
      return chart && { node: chart.node, show: (shown) => chart.show(shown[place]) };
    });
  }

  function heading(run, place, isFirst) {
    const key = page.element("span", { class: "key", style: `background:${view.runColour(place)}` });
    const more = isFirst ? page.element("span", { class: "muted" }, `  ${facts(run)}`) : null;
    return page.element("h3", {}, key, run.title, more);
  }

  /** Losses that differ by more than this are seen better on a logarithmic scale. */
  function isWide() {
    const losses = runs.flatMap((run) => run.snapshots.map((s) => s.scores[0])).filter((v) => v !== null);
    return Math.min(...losses) > 0 && Math.max(...losses) > 200 * Math.min(...losses);
  }

  function legend() {
    const kinds = new Set(runs.flatMap((run) => run.names.flatMap((name) => charts.linesOf(run, name).map((l) => l.kind))));
    const words = { fixed: "on examples", means: "epoch mean", validation: "held out" };
    const items = Object.keys(words).filter((kind) => kinds.has(kind)).map((kind) => {
      const stroke = runs.length > 1 ? "currentColor" : view.runColour(0);
      return item(charts.mark("path", { d: "M0 6h24", class: `curve ${kind}`, stroke }), text(words[kind]));
    });
    const named = runs.length > 1 ? runs.map((run, place) => {
      return item(charts.mark("path", { d: "M0 6h24", class: "curve fixed", stroke: view.runColour(place) }), run.title);
    }) : [];
    find("curves-legend").replaceChildren(...named, ...items);
  }

  function item(stroke, words) {
    return page.element("li", {}, charts.mark("svg", { width: 24, height: 12, "aria-hidden": "true" }, stroke), words);
  }

  /** Dragging over a curve moves through training. */
  function followPointer(chart) {
    const follow = (event) => go(nearest(chart.stepAt(event.clientX)));
    chart.node.addEventListener("pointerdown", follow);
    chart.node.addEventListener("pointermove", (event) => event.buttons === 1 && follow(event));
  }

  function nearest(step) {
    const far = (s) => (view.logX ? Math.abs(Math.log1p(s) - Math.log1p(step)) : Math.abs(s - step));
    return steps.reduce((best, s, i) => (far(s) < far(steps[best]) ? i : best), 0);
  }

  function go(place) {
    at = Math.min(steps.length - 1, Math.max(0, place));
    show();
    page.remember({ s: at });
  }

  /** Tell every chart which snapshots are seen. */
  function show() {
    const step = steps[at];
    const shown = runs.map((run) => upTo(run, step));
    for (const tell of drawn) tell(shown, step);
    const epoch = number(shown[0].epoch, 3);
    const words = `${text("step")} ${step} · ${text("epoch")} ${epoch}`;
    find("moment").textContent = `${words} · ${at + 1}/${steps.length}`;
    const slider = find("slider");
    slider.value = at;
    slider.setAttribute("aria-valuetext", words);
    find("live").textContent = timer ? "" : `${words}. ${scores(shown)}`;
    if (find("tables").open) tables(shown);
  }

  function scores(shown) {
    return runs.map((run, place) => {
      const said = run.names.map((name, i) => `${text(name)} ${number(shown[place].scores[i])}`).join(", ");
      return runs.length > 1 ? `${run.title}: ${said}` : said;
    }).join(". ");
  }

  function play(on) {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (at === steps.length - 1) go(0);
      timer = setInterval(() => (at < steps.length - 1 ? go(at + 1) : play(false)), prefersStill ? 600 : 180);
    }
    label();
    show();
  }

  /** All that is written in the page's language. */
  function label() {
    for (const node of document.querySelectorAll("[data-text]")) node.textContent = text(node.dataset.text);
    for (const node of document.querySelectorAll("[data-label]")) {
      const key = node.id === "play" && timer ? "pause" : node.dataset.label;
      node.setAttribute("aria-label", text(key));
      node.title = text(key);
    }
    find("play").textContent = timer ? "❚❚" : "▶";
    find("language").textContent = text("language");
    find("theme").textContent = text("theme");
    find("title").textContent = runs.map((run) => run.title).join("  |  ");
    find("facts").textContent = runs.length > 1 ? "" : facts(runs[0]);
  }

  function facts(run) {
    return `${run.optimizer} ${number(run.rate)} · ${text("batch")} ${run.batch} · ${run.examples} ${text("fixed")}`;
  }

  function tables(shown) {
    const parts = runs.flatMap((run, place) => [
      page.element("h3", {}, runs.length > 1 ? `${run.title} — ${facts(run)}` : text("variables")),
      scroll(variables(run, shown[place])),
      page.element("h3", {}, text("snapshots")),
      scroll(history(run, shown[place])),
    ]);
    find("tables-cells").replaceChildren(...parts);
  }

  function scroll(table) {
    return page.element("div", { class: "scroll", tabindex: 0 }, table);
  }

  function row(kind, cells, marked) {
    return page.element("tr", { class: marked ? "now" : null }, ...cells.map((c) => page.element(kind, {}, c)));
  }

  function table(head, rows) {
    return page.element("table", {}, page.element("thead", {}, row("th", head)), page.element("tbody", {}, ...rows));
  }

  function variables(run, snapshot) {
    const head = [text("variable"), text("shape"), "‖w‖", "‖∂L/∂w‖", "‖Δw‖/‖w‖"];
    return table(head, run.weights.map(([name, , , shape], i) => {
      const numbers = [snapshot.norms[i], snapshot.gradients[i]].map((v) => number(v));
      // Without a size there is no ratio: a bias that is still zero.
      const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
      return row("td", [name, sizes, ...numbers, number(snapshot.ratios[i] ?? undefined)]);
    }));
  }

  function history(run, seen) {
    const layers = run.layers.map(([name]) => `‖∂L/∂W‖ ${name}`);
    const head = [text("step"), text("epoch"), ...run.names.map(text), ...layers];
    return table(head, run.snapshots.map((snapshot) => {
      const numbers = [...snapshot.scores, ...kernelNorms(run, snapshot)].map((v) => number(v));
      return row("td", [String(snapshot.step), number(snapshot.epoch, 3), ...numbers], snapshot === seen);
    }));
  }

  function setLog(axis, on) {
    view[axis === "y" ? "logY" : "logX"] = on;
    find(`log-${axis}`).setAttribute("aria-pressed", String(on));
    page.remember({ [axis]: on ? "log" : "linear" });
    build();
  }

  const KEYS = {
    ArrowLeft: () => go(at - 1),
    ArrowRight: () => go(at + 1),
    Home: () => go(0),
    End: () => go(steps.length - 1),
    " ": () => play(!timer),
    l: page.toggleLanguage,
    d: page.toggleTheme,
    y: () => setLog("y", !view.logY),
    x: () => setLog("x", !view.logX),
  };

  document.addEventListener("keydown", (event) => {
    const pressed = event.key === " " && event.target.closest && event.target.closest("button, summary");
    const scrolls = event.target.closest && event.target.closest(".scroll") && /^(Arrow|Home|End)/.test(event.key);
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || pressed || scrolls || event.shiftKey || page.isTyping(event)) return;
    event.preventDefault();
    if (timer && event.key !== " ") play(false);
    act();
  });

  /** What the address says; what it does not say stays. */
  function read() {
    const found = page.state();
    if (/^\d+$/.test(found.s || "")) at = Math.min(steps.length - 1, Number(found.s));
    if (found.y) view.logY = found.y === "log";
    if (found.x) view.logX = found.x === "log";
    if (found.l) page.setLanguage(found.l);
    if (page.THEMES.includes(found.t)) page.setTheme(found.t);
    for (const axis of ["x", "y"]) {
      find(`log-${axis}`).setAttribute("aria-pressed", String(axis === "y" ? view.logY : view.logX));
    }
  }

  document.querySelector("main").classList.toggle("several", runs.length > 1);
  find("slider").max = steps.length - 1;
  find("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  find("first").addEventListener("click", () => go(0));
  find("back").addEventListener("click", () => go(at - 1));
  find("next").addEventListener("click", () => go(at + 1));
  find("play").addEventListener("click", () => play(!timer));
  find("log-y").addEventListener("click", () => setLog("y", !view.logY));
  find("log-x").addEventListener("click", () => setLog("x", !view.logX));
  find("theme").addEventListener("click", page.toggleTheme);
  find("language").addEventListener("click", page.toggleLanguage);
  find("tables").addEventListener("toggle", show);

  read();
  label();
  build();
  page.on("theme", build);
  page.on("language", () => (label(), build()));
  page.on("state", () => (read(), label(), build()));

  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    build();
  });
  let before = "";
  window.addEventListener("beforeprint", () => {
    before = page.theme();
    find("tables").open = true;
    page.setTheme("light");
  });
  window.addEventListener("afterprint", () => page.setTheme(before));
})();
