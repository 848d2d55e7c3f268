"use strict";

(() => {
  const shows = ["before", "both", "after"];
  const main = document.getElementById("steps");
  const search = document.getElementById("search");

  function show(which) {
    for (const name of shows) main.classList.toggle(`show-${name}`, name === which);
    for (const button of document.querySelectorAll("[data-show]")) {
      button.setAttribute("aria-pressed", String(button.dataset.show === which));
    }
  }

  function next() {
    const shown = shows.findIndex((name) => main.classList.contains(`show-${name}`));
    show(shows[(shown + 1) % shows.length]);
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    for (const card of document.querySelectorAll(".rule")) {
      card.hidden = wanted !== "" && !`${card.id} ${card.querySelector(".words").textContent}`.toLowerCase().includes(wanted);
    }
    for (const section of document.querySelectorAll(".rules-of")) {
      section.hidden = !section.querySelector(".rule:not([hidden])");
    }
  }

  function language() {
    page.setLanguage(page.language() === "ko" ? "en" : "ko");
  }

  function theme() {
    page.setTheme(page.THEMES[(page.THEMES.indexOf(page.theme()) + 1) % page.THEMES.length]);
  }

  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => show(button.dataset.show));
  }
  search.addEventListener("input", find);
  document.getElementById("language").addEventListener("click", language);
  document.getElementById("theme").addEventListener("click", theme);
  document.addEventListener("keydown", (event) => {
    if (page.isTyping(event)) return;
    const keys = { b: next, l: language, d: theme, "/": () => search.focus() };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  const state = page.state();
  if (state.l) page.setLanguage(state.l);
  if (state.t) page.setTheme(state.t);
})();
