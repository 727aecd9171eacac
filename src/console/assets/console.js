// Additions for browsers with scripts: menus that close, a live list that can be paused.
// Without this file everything works except the live updates.
(() => {
  "use strict";

  const menu = document.querySelector(".account");
  if (menu) {
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }

  const live = document.getElementById("live");
  const state = document.querySelector("[data-live-state]");
  const pause = document.querySelector("[data-live-pause]");
  if (live && state && pause) {
    const words = state.querySelector("[data-live-text]");
    let isPaused = false;
    const show = (name, text) => {
      state.dataset.liveState = name;
      words.textContent = text;
    };
    state.hidden = false;
    pause.hidden = false;
    show("connecting", "Connecting");
    document.addEventListener("htmx:sse:after:connection", () => {
      if (!isPaused) show("live", "Live");
    });
    document.addEventListener("htmx:sse:before:message", (event) => {
      if (isPaused) event.preventDefault();
    });
    document.addEventListener("htmx:sse:error", (event) => {
      // The session has ended: reload, which leads to the login.
      if (event.detail.status === 401) location.reload();
      else show("lost", "Connection lost, trying again");
    });
    document.addEventListener("htmx:sse:close", () => show("lost", "Connection ended"));
    pause.addEventListener("click", () => {
      isPaused = !isPaused;
      pause.setAttribute("aria-pressed", String(isPaused));
      pause.textContent = isPaused ? "Resume" : "Pause";
      show(isPaused ? "paused" : "live", isPaused ? "Paused" : "Live");
    });
  }
})();
