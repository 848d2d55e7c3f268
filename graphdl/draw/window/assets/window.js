"use strict";

/* A window slides: each step fills in cells and moves lines; going back fills in anew from where its part begins. */

(() => {
  const { frames, captions, slots, small, paints, marks, facts } = page.data;
  const find = (id) => document.getElementById(id);
  const board = find("board");
  const prefersStill = window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const WORDS = {
    en: {
      y: "forward", K: "gradient of the kernel", x: "gradient of the image", first: "first step", back: "step back",
      next: "next step", play: "play", pause: "pause", slider: "step", theme: "light / dark", language: "한국어",
      keys: "← → step · Home End · space plays · 1 2 3 parts · L language · D dark",
    },
    ko: {
      y: "순전파", K: "커널의 기울기", x: "이미지의 기울기", first: "처음으로", back: "이전 단계",
      next: "다음 단계", play: "재생", pause: "멈춤", slider: "단계", theme: "밝게 / 어둡게", language: "English",
      keys: "← → 이동 · Home End · 스페이스 재생 · 1 2 3 부분 · L 언어 · D 어둡게",
    },
  };
  const boxes = {}, labels = {};
  for (const node of board.querySelectorAll("[data-slot]")) {
    (node.tagName === "text" ? labels : boxes)[node.dataset.slot] = node;
  }
  const parts = [...new Set(frames.map((frame) => frame.part))];
  const startOf = (part) => frames.findIndex((frame) => frame.part === part);
  const word = (key) => WORDS[page.language()][key];
  let at = 0;
  let shown = -1;
  let texts = {};
  let timer = null;

  function fill(frame) {
    for (const [slot, text, paint] of frame.cells) {
      const name = slots[slot];
      const isSmall = small.includes(name.slice(0, name.indexOf(".")));
      boxes[name].setAttribute("fill", paints[isSmall ? 1 : 0][paint]);
      if (labels[name]) labels[name].textContent = text;
    }
    Object.assign(texts, frame.texts || {});
  }

  function moveMarks(corners) {
    corners.forEach(([x, y], i) => {
      const box = boxes[`mark.${marks[i]}`];
      box.setAttribute("x", x);
      box.setAttribute("y", y);
    });
  }

  function caption(frame) {
    const text = captions[frame.part][page.language()];
    return text.replace("{number}", frame.number).replace("{place}", frame.place);
  }

  /** Show step `at`, from the step that is shown where that is before it in the same part. */
  function show() {
    const frame = frames[at];
    const start = startOf(frame.part);
    const from = shown >= start && shown <= at ? shown + 1 : start;
    for (let step = from; step <= at; step += 1) fill(frames[step]);
    shown = at;
    moveMarks(frame.marks);
    write();
  }

  /** All that is written in the page's language. */
  function write() {
    const frame = frames[at];
    const language = page.language();
    for (const [slot, text] of Object.entries(texts)) labels[slot].textContent = text[language];
    find("caption").textContent = caption(frame);
    find("lines").replaceChildren(...frame.lines.map((line) => page.element("li", {}, line)));
    find("lines").classList.toggle("gradient", frame.part !== "y");
    find("facts").textContent = facts[language];
    find("moment").textContent = `${at + 1} / ${frames.length}`;
    find("slider").value = at;
    find("slider").setAttribute("aria-valuetext", `${word(frame.part)}, ${at + 1} / ${frames.length}`);
    find("live").textContent = timer ? "" : caption(frame);
    for (const button of find("parts").children) {
      button.textContent = word(button.dataset.part);
      button.setAttribute("aria-pressed", String(button.dataset.part === frame.part));
    }
    name();
  }

  function name() {
    for (const id of ["first", "back", "next", "slider"]) find(id).setAttribute("aria-label", word(id));
    for (const id of ["first", "back", "next"]) find(id).title = word(id);
    find("play").textContent = timer ? "❚❚" : "▶";
    find("play").setAttribute("aria-label", word(timer ? "pause" : "play"));
    find("play").title = word(timer ? "pause" : "play");
    find("language").textContent = word("language");
    find("theme").textContent = word("theme");
    find("keys").textContent = word("keys");
  }

  function go(step) {
    at = Math.max(0, Math.min(frames.length - 1, step));
    show();
    page.remember({ s: at });
  }

  function play(on) {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (at === frames.length - 1) go(0);
      const wait = Math.max(80, Math.min(900, 20000 / frames.length)) * (prefersStill ? 2 : 1);
      timer = setInterval(() => (at < frames.length - 1 ? go(at + 1) : play(false)), wait);
    }
    write();
  }

  const KEYS = {
    ArrowLeft: () => go(at - 1),
    ArrowRight: () => go(at + 1),
    Home: () => go(0),
    End: () => go(frames.length - 1),
    " ": () => play(!timer),
    l: page.toggleLanguage,
    d: page.toggleTheme,
  };
  parts.forEach((part, i) => (KEYS[String(i + 1)] = () => go(startOf(part))));
  // Physical keys, since a Korean keyboard sends other letters.
  const LETTERS = { KeyL: "l", KeyD: "d" };

  document.addEventListener("keydown", (event) => {
    const pressed = event.key === " " && event.target.closest && event.target.closest("button");
    const act = KEYS[LETTERS[event.code] || event.key];
    if (!act || pressed || event.shiftKey || page.isTyping(event)) return;
    event.preventDefault();
    if (timer && event.key !== " ") play(false);
    act();
  });

  /** What the address says; what it does not say stays. */
  function read() {
    const found = page.state();
    if (/^\d+$/.test(found.s || "")) at = Math.min(frames.length - 1, Number(found.s));
    if (found.l) page.setLanguage(found.l);
    if (page.THEMES.includes(found.t)) page.setTheme(found.t);
  }

  find("parts").append(
    ...parts.map((part) =>
      page.element("button", { type: "button", "data-part": part, onclick: () => go(startOf(part)) })
    )
  );
  find("parts").hidden = parts.length < 2;
  find("slider").max = frames.length - 1;
  find("slider").addEventListener("input", (event) => go(Number(event.target.value)));
  find("first").addEventListener("click", () => go(0));
  find("back").addEventListener("click", () => go(at - 1));
  find("next").addEventListener("click", () => go(at + 1));
  find("play").addEventListener("click", () => play(!timer));
  find("theme").addEventListener("click", page.toggleTheme);
  find("language").addEventListener("click", page.toggleLanguage);
  page.on("language", write);
  page.on("state", () => (read(), show()));
  let before = "";
  window.addEventListener("beforeprint", () => {
    before = page.theme();
    page.setTheme(before === "mono" ? "mono" : "light");
  });
  window.addEventListener("afterprint", () => page.setTheme(before));
  read();
  show();
})();
