"use strict";

/* Language and theme; without scripts the sheet is all there. */

(() => {
  const language = document.getElementById("language");
  const theme = document.getElementById("theme");

  function label() {
    language.textContent = page.data[page.language()];
  }

  language.addEventListener("click", () => page.setLanguage(page.language() === "en" ? "ko" : "en"));
  theme.addEventListener("click", () => page.setTheme(page.theme() === "dark" ? "light" : "dark"));
  page.on("language", label);
  label();
})();
