"use strict";

/* What all pages share: the data, elements, the address as state, theme and language. Nothing here throws in a
   sandboxed frame, where history, storage and dialogs may be refused. */

const page = (() => {
  const THEMES = ["light", "dark", "mono", "cs231n", "book"];
  const root = document.documentElement;
  const prefersDark = window.matchMedia ? window.matchMedia("(prefers-color-scheme: dark)") : null;
  const listeners = { theme: [], language: [], state: [] };
  let chosenTheme = THEMES.includes(root.dataset.theme) ? root.dataset.theme : "";
  let written = "";
  let pending = {};
  let timer = null;

  const source = document.getElementById("data");
  const data = source ? JSON.parse(source.textContent) : {};

  function tell(what) {
    for (const listener of listeners[what]) listener();
  }

  /** An element with attributes and children; texts become text nodes, never markup. */
  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  /** What the address says: `#s=12&v=circuit`, and `?ui=min` before it. */
  function state() {
    const found = {};
    for (const part of [location.search.slice(1), location.hash.slice(1)]) {
      for (const [key, value] of new URLSearchParams(part)) found[key] = value;
    }
    return found;
  }

  /** Put `values` into the address; what is null goes. It is written once things are quiet: a browser takes longer
      for it than for a step, and refuses it when it comes too often. */
  function remember(values) {
    Object.assign(pending, values);
    clearTimeout(timer);
    timer = setTimeout(write, 150);
  }

  function write() {
    const params = new URLSearchParams(location.hash.slice(1));
    for (const [key, value] of Object.entries(pending)) {
      if (value === null || value === undefined || value === "") params.delete(key);
      else params.set(key, value);
    }
    pending = {};
    const hash = `#${params}`;
    if (hash === location.hash || (hash === "#" && !location.hash)) return;
    written = hash;
    try {
      history.replaceState(null, "", hash);
    } catch {
      try {
        location.hash = hash;
      } catch {
        // Then there is no permalink, and all else works.
      }
    }
  }

  window.addEventListener("hashchange", () => {
    if (location.hash === written) return;
    pending = {};
    clearTimeout(timer);
    tell("state");
  });

  /** The theme in force: the chosen one, or else what the reader's system prefers. */
  function theme() {
    return chosenTheme || (prefersDark && prefersDark.matches ? "dark" : "light");
  }

  function setTheme(name) {
    chosenTheme = THEMES.includes(name) ? name : "";
    root.dataset.theme = theme();
    tell("theme");
  }

  if (prefersDark && prefersDark.addEventListener) {
    prefersDark.addEventListener("change", () => chosenTheme || setTheme(""));
  }

  function language() {
    return root.lang === "ko" ? "ko" : "en";
  }

  function setLanguage(name) {
    root.lang = name === "ko" ? "ko" : "en";
    tell("language");
  }

  /** The other of light and dark, and of the two languages; the address says which. */
  function toggleTheme() {
    setTheme(theme() === "dark" ? "light" : "dark");
    remember({ t: theme() });
  }

  function toggleLanguage() {
    setLanguage(language() === "ko" ? "en" : "ko");
    remember({ l: language() });
  }

  /** Whether a key belongs to whoever is typing, or to the browser. */
  function isTyping(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
    if (!target || !target.tagName) return false;
    return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || isTextField(target);
  }

  function isTextField(target) {
    return target.tagName === "INPUT" && !/^(range|checkbox|radio|button)$/.test(target.type);
  }

  setTheme(chosenTheme);

  return {
    THEMES,
    data,
    element,
    state,
    remember,
    theme,
    chosenTheme: () => chosenTheme,
    setTheme,
    toggleTheme,
    language,
    setLanguage,
    toggleLanguage,
    isTyping,
    on: (what, listener) => listeners[what].push(listener),
  };
})();
