"use strict";

(() => {
  const data = page.data;
  const steps = [...document.querySelectorAll(".step")];
  const slider = document.getElementById("slider");
  const mark = document.getElementById("mark");
  const shows = ["before", "both", "after"];
  let current = -1;
  let chosen = null;

  const WORDS = {
    en: {
      op: "op", type: "type", written: "written at", line: "line", made: "made by", gone: "removed by", firing: "firing",
      not: "not in the final program", none: "choose a node, a bar or a line",
    },
    ko: {
      op: "연산", type: "타입", written: "작성된 곳", line: "프로그램 줄", made: "만든 규칙", gone: "없앤 규칙", firing: "변환",
      not: "최종 프로그램에는 없음", none: "노드, 막대, 줄을 고르세요",
    },
  };

  function go(index, fromAddress) {
    const next = Math.min(Math.max(index, 0), steps.length - 1);
    if (next === current) return;
    if (steps[current]) steps[current].classList.remove("current");
    current = next;
    steps[current].classList.add("current");
    slider.value = current;
    const [chapter, number] = data.steps[current];
    document.querySelectorAll(".chapter").forEach((button, i) => {
      if (i === chapter) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      if (i === chapter) reveal(button);
    });
    document.getElementById("counter").textContent = `${current + 1} / ${steps.length}`;
    slider.setAttribute("aria-valuetext", steps[current].querySelector("h2").textContent);
    const last = Number(mark.ownerSVGElement.dataset.last);
    const x = (number / last) * mark.ownerSVGElement.viewBox.baseVal.width;
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    paint();
    place();
    if (!fromAddress) page.remember({ s: current || null });
  }

  /** Bring what changed into view where a picture is larger than its box. */
  function place() {
    const box = steps[current].querySelector(".picture");
    if (!box || box.scrollWidth + box.scrollHeight <= box.clientWidth + box.clientHeight + 4) return;
    const first = box.querySelector(".node.removed, .node.added, .node.rewired");
    if (!first) return;
    const [inside, outside] = [first.getBoundingClientRect(), box.getBoundingClientRect()];
    box.scrollLeft += inside.left - outside.left - outside.width / 3;
    box.scrollTop += inside.top - outside.top - outside.height / 3;
  }

  function fit() {
    const button = document.getElementById("fit");
    const on = document.getElementById("steps").classList.toggle("fit");
    button.setAttribute("aria-pressed", String(on));
    place();
  }

  /** Scroll the timeline, and nothing else. */
  function reveal(button) {
    const bar = button.parentElement;
    const left = button.offsetLeft - bar.offsetLeft;
    if (left < bar.scrollLeft || left + button.offsetWidth > bar.scrollLeft + bar.clientWidth) bar.scrollLeft = left;
  }

  function chapterMove(way) {
    const here = data.steps[current][0];
    const heads = data.steps.map((step, i) => (i && data.steps[i - 1][0] === step[0] ? -1 : i));
    const starts = heads.filter((i) => i >= 0);
    const at = starts.indexOf(data.steps.findIndex((step) => step[0] === here));
    const before = way < 0 && current > starts[at] ? at : at + way;
    go(starts[Math.min(Math.max(before, 0), starts.length - 1)]);
  }

  function show(which) {
    const box = document.getElementById("steps");
    for (const name of shows) box.classList.toggle(`show-${name}`, name === which);
    for (const button of document.querySelectorAll("[data-show]")) {
      button.setAttribute("aria-pressed", String(button.dataset.show === which));
    }
  }

  function shown() {
    return shows.find((name) => document.getElementById("steps").classList.contains(`show-${name}`));
  }

  /** The entry that an element of a picture stands for. */
  function entryOf(element) {
    const group = element.closest(".node, .bar");
    if (!group) return null;
    const id = group.id.split("-").pop();
    if (id[0] === "n") return Number(id.slice(1));
    return id[0] === "m" ? data.bars[Number(id.slice(1))][0] : null;
  }

  function choose(entry) {
    chosen = entry === chosen ? null : entry;
    paint();
    fill();
    const line = document.querySelector("ol.code li.chosen");
    if (line) {
      const list = line.parentElement;
      list.scrollTop = line.offsetTop - list.offsetTop - list.clientHeight / 3;
    }
  }

  /** Mark what belongs to the chosen entry, in the picture that is shown, the buffer map and the program. */
  function paint() {
    for (const element of document.querySelectorAll(".chosen")) element.classList.remove("chosen");
    if (chosen === null) return;
    const pictures = [steps[current], document.getElementById("memory")];
    for (const picture of pictures) {
      for (const group of picture.querySelectorAll(".node, .bar")) {
        if (entryOf(group) === chosen) group.classList.add("chosen");
      }
    }
    for (const number of linesOf(chosen)) {
      const line = document.querySelector(`ol.code li[data-line="${number}"]`);
      if (line) line.classList.add("chosen");
    }
  }

  function linesOf(entry) {
    return Object.keys(data.lines).filter((number) => data.lines[number] === entry).map(Number);
  }

  function fill() {
    const words = WORDS[page.language()];
    const card = document.getElementById("card");
    document.getElementById("close").hidden = chosen === null;
    card.parentElement.classList.toggle("open", chosen !== null);
    const node = chosen === null ? null : data.nodes[chosen];
    if (!node) {
      card.replaceChildren(page.element("p", { class: "muted" }, words.none));
      return;
    }
    const [label, op, type, user, born, gone, isFinal] = node;
    const rows = [[words.op, op], [words.type, type]];
    if (user !== null) rows.push([words.written, data.users[user].join("  ")]);
    for (const number of linesOf(chosen)) {
      const line = document.querySelector(`ol.code li[data-line="${number}"]`);
      if (line) rows.push([`${words.line} ${number}`, line.textContent.split("  #")[0].trim()]);
    }
    if (!isFinal) rows.push([words.line, words.not]);
    const list = page.element("dl");
    for (const [name, text] of rows) {
      list.append(page.element("dt", {}, name), page.element("dd", {}, page.element("code", {}, text)));
    }
    for (const [name, number] of [[words.made, born], [words.gone, gone]]) {
      if (number) list.append(page.element("dt", {}, name), page.element("dd", {}, firing(number)));
    }
    card.replaceChildren(page.element("h3", {}, label), list);
  }

  function firing(number) {
    const [rule, step] = data.events[number];
    const text = `${rule} (${WORDS[page.language()].firing} ${number})`;
    return step === null ? text : page.element("button", { type: "button", onclick: () => go(step) }, text);
  }

  for (const [id, move] of [["first", () => go(0)], ["back", () => go(current - 1)], ["forward", () => go(current + 1)],
    ["end", () => go(steps.length - 1)]]) {
    document.getElementById(id).addEventListener("click", move);
  }
  slider.addEventListener("input", () => go(Number(slider.value)));
  for (const button of document.querySelectorAll("button[data-step], a[data-step]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      go(Number(button.dataset.step));
    });
  }
  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => show(button.dataset.show));
  }
  mark.ownerSVGElement.addEventListener("click", (event) => {
    const box = mark.ownerSVGElement.getBoundingClientRect();
    const number = ((event.clientX - box.left) / box.width) * Number(mark.ownerSVGElement.dataset.last);
    let best = 0;
    data.steps.forEach((step, i) => {
      if (Math.abs(step[1] - number) < Math.abs(data.steps[best][1] - number)) best = i;
    });
    go(best);
  });
  for (const picture of document.querySelectorAll(".picture")) {
    picture.addEventListener("click", (event) => {
      const entry = entryOf(event.target);
      if (entry !== null) choose(entry);
    });
  }
  function onEnter(element, entry) {
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose(entry);
      }
    });
  }

  for (const group of document.querySelectorAll(".picture .node, .picture .bar")) {
    const entry = entryOf(group);
    if (entry === null || !(entry in data.nodes)) continue;
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    onEnter(group, entry);
  }
  for (const line of document.querySelectorAll("ol.code li[role=button]")) {
    const entry = data.lines[line.dataset.line];
    if (entry === undefined) continue;
    line.addEventListener("click", () => choose(entry));
    onEnter(line, entry);
  }

  document.addEventListener("keydown", (event) => {
    if (page.isTyping(event)) return;
    const keys = {
      ArrowRight: () => (event.shiftKey ? chapterMove(1) : go(current + 1)),
      ArrowLeft: () => (event.shiftKey ? chapterMove(-1) : go(current - 1)),
      Home: () => go(0),
      End: () => go(steps.length - 1),
      b: () => show(shows[(shows.indexOf(shown()) + 1) % 3]),
      f: fit,
      l: language,
      d: theme,
      Escape: () => chosen !== null && choose(chosen),
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  function language() {
    page.setLanguage(page.language() === "ko" ? "en" : "ko");
    page.remember({ l: page.language() === "ko" ? "ko" : null });
  }

  function theme() {
    page.setTheme(page.THEMES[(page.THEMES.indexOf(page.theme()) + 1) % page.THEMES.length]);
    page.remember({ t: page.theme() });
  }

  document.getElementById("close").addEventListener("click", () => choose(chosen));
  document.getElementById("fit").addEventListener("click", fit);
  document.getElementById("language").addEventListener("click", language);
  document.getElementById("theme").addEventListener("click", theme);
  page.on("language", fill);

  function fromAddress() {
    const state = page.state();
    if (state.l) page.setLanguage(state.l);
    if (state.t) page.setTheme(state.t);
    go(Number(state.s) || 0, true);
  }

  document.documentElement.classList.add("scripted");
  page.on("state", fromAddress);
  fromAddress();
})();
