// Lists that go on while one scrolls, with a bounded number of rows in the page, and their rows by keyboard.
(() => {
  const MOST_PARTS = 6;
  const AHEAD_PIXELS = 700;
  const parts = (table) => [...table.querySelectorAll("tbody[data-part]")];

  async function extend(table, way) {
    const all = parts(table);
    const edge = way === "older" ? all.at(-1) : all[0];
    const address = edge?.dataset[way];
    if (!address || table.dataset.asking) return false;
    table.dataset.asking = way;
    try {
      const answer = await fetch(address, { headers: { "X-Console-Part": "1" } });
      if (!answer.ok) throw new Error(await answer.text());
      const made = document.createElement("table");
      made.innerHTML = await answer.text();
      const part = made.querySelector("tbody[data-part]");
      if (!part) throw new Error("The list could not be read on.");
      edge.dataset[way] = "";
      if (part.rows.length) place(table, part, way);
      say(table, "");
      return part.rows.length > 0;
    } catch (problem) {
      say(table, problem.message || "The server did not answer.", () => extend(table, way).then(() => look(table)));
      return false;
    } finally {
      delete table.dataset.asking;
    }
  }

  // What is put in or taken out above the window moves all below it: the page is moved back by as much.
  function place(table, part, way) {
    const kept = way === "older" ? parts(table).at(-1) : parts(table)[0];
    const before = kept.getBoundingClientRect().top;
    if (way === "older") kept.after(part);
    else kept.before(part);
    const all = parts(table);
    if (all.length > MOST_PARTS) {
      const [gone, next] = way === "older" ? [all[0], all[1]] : [all.at(-1), all.at(-2)];
      const back = way === "older" ? "newer" : "older";
      next.dataset[back] = next.dataset[`${back}Address`];
      gone.remove();
    }
    const moved = kept.getBoundingClientRect().top - before;
    if (moved) scrollBy({ top: moved, behavior: "instant" });
  }

  function say(table, words, again) {
    const place = document.getElementById(table.dataset.says);
    if (!place) return;
    place.replaceChildren(words);
    place.hidden = !words;
    if (!again) return;
    const button = document.createElement("button");
    button.textContent = "Try again";
    button.addEventListener("click", again, { once: true });
    place.append(" ", button);
  }

  async function look(table) {
    const all = parts(table);
    if (!all.length || table.dataset.asking) return;
    const below = all.at(-1).getBoundingClientRect().bottom - innerHeight;
    const above = -all[0].getBoundingClientRect().top;
    let came = false;
    if (below < AHEAD_PIXELS) came = await extend(table, "older");
    else if (above < AHEAD_PIXELS) came = await extend(table, "newer");
    if (came) look(table);
  }

  let waiting = false;
  const looked = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      document.querySelectorAll("table.endless").forEach(look);
    });
  };
  addEventListener("scroll", looked, { passive: true });
  addEventListener("resize", looked);
  new MutationObserver(looked).observe(document.documentElement, { childList: true, subtree: true });

  const typing = (target) => target.closest("input, textarea, select, [contenteditable], [role=slider]");
  addEventListener("keydown", (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || typing(pressed.target)) return;
    const way = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[pressed.key];
    const rows = way ? [...document.querySelectorAll("table.endless tbody[data-part] tr")] : [];
    if (!rows.length) return;
    pressed.preventDefault();
    const at = rows.indexOf(document.activeElement?.closest("tr"));
    const next = rows[at < 0 ? rows.findIndex((row) => row.getBoundingClientRect().top > 60) : at + way] ?? rows[at];
    next?.querySelector("a")?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  });
})();
