// The keyboard, the look, local times, and the end of a session; the rest of a page is made by the server.
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  addEventListener("keydown", (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    const search = document.getElementById("search");
    if (pressed.key === "/" && !typing(pressed.target)) {
      pressed.preventDefault();
      search?.focus();
      search?.select();
    } else if (pressed.key === "Escape" && pressed.target === search) {
      search.blur();
    } else if ((pressed.key === "ArrowLeft" || pressed.key === "ArrowRight") && !typing(pressed.target)) {
      const step = document.querySelector(pressed.key === "ArrowLeft" ? "[data-step=back]" : "[data-step=on]");
      if (step && !pressed.target.closest("[role=slider], .q-slider")) step.click();
    }
  });

  const LOOKS = ["auto", "light", "dark"];
  const wanted = () => localStorage.getItem("ledger-look") || "auto";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const look = () => {
    const dark = wanted() === "dark" || (wanted() === "auto" && system.matches);
    document.documentElement.dataset.look = dark ? "dark" : "light";
    window.Quasar?.Dark?.set(dark);
    const button = document.getElementById("theme");
    if (button) button.title = `Look: ${wanted()}; press for the next`;
  };
  addEventListener("click", (pressed) => {
    if (!pressed.target.closest?.("#theme")) return;
    localStorage.setItem("ledger-look", LOOKS[(LOOKS.indexOf(wanted()) + 1) % LOOKS.length]);
    look();
  });
  system.addEventListener("change", look);
  document.addEventListener("DOMContentLoaded", look);
  look();

  // Where one is must be seen, also where the places do not fit beside each other.
  const showPlace = () => {
    for (const place of document.querySelectorAll("nav .here, .report-tabs .here")) {
      const row = place.parentElement;
      row.scrollLeft = place.offsetLeft - row.offsetLeft - (row.clientWidth - place.offsetWidth) / 2;
    }
  };
  addEventListener("load", () => requestAnimationFrame(showPlace));

  // A page that was away while its session ended (asleep, or the server began anew) is led to sign in, and then back.
  const whenRefused = async (problem) => {
    if (problem.message !== "websocket error") return; // All else makes the library load the page again.
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
    if (answer.type === "opaqueredirect") location.reload();
  };
  const watch = () => (window.socket ? window.socket.on("connect_error", whenRefused) : setTimeout(watch, 200));
  addEventListener("load", () => document.getElementById("app") && watch());

  const local = (at) => `${at.toLocaleString()} ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  // Where nothing can be pointed at, a touch shows the local time in place, and the next one UTC again.
  addEventListener("click", (pressed) => {
    const time = pressed.target.closest?.("time.moment");
    if (!time || matchMedia("(hover: hover)").matches) return;
    time.dataset.utc ??= time.textContent;
    time.classList.toggle("local");
    time.textContent = time.classList.contains("local") ? local(new Date(time.dateTime)) : time.dataset.utc;
  });

  addEventListener("pointerover", (over) => {
    const time = over.target.closest?.("time.moment");
    if (!time || time.title) return;
    const at = new Date(time.dateTime);
    time.title = `${time.dateTime}\n${local(at)}`;
  });
})();
