"use strict";
(() => {
  const byId = (name) => document.getElementById(name);
  const every = (selector, within = document) => [...within.querySelectorAll(selector)];
  const say = (text) => { byId("status").textContent = text; };
  document.documentElement.classList.add("script");

  // Copying: where a browser does not let us (a page that came over plain HTTP), the text is selected instead.
  for (const place of every(".copied")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    place.append(button);
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const text = button.previousElementSibling;
    let done = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      done = false;
    }
    button.textContent = done ? "Copied" : "Selected";
    say(done ? "Copied" : "Selected; copy it with your keyboard");
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  const table = byId("grid");
  if (!table) return;
  const region = table.parentElement;
  const rows = every("tbody tr", table);
  const heads = every("thead th", table);
  const cells = rows.flatMap((row, y) => every("a[id]", row).map((link) => ({
    link, row, y, x: link.parentElement.cellIndex, detail: byId(link.getAttribute("href").slice(1)),
  })));
  const cellOf = new Map(cells.map((cell) => [cell.link, cell]));
  const lines = rows.map(() => []);
  for (const cell of cells) lines[cell.y].push(cell);
  const columns = new Set(cells.map((cell) => cell.x));
  const seen = (cell) => !cell.link.classList.contains("off") && !cell.row.hidden;

  // The keyboard: one stop of Tab for the whole grid, arrows inside it.
  let current = null;
  const stop = (cell) => {
    if (current) current.link.tabIndex = -1;
    current = cell;
    if (cell) cell.link.tabIndex = 0;
  };
  // What is focused is not to be hidden by the headers. Measured with the next frame, when the table has been laid out anyway.
  const fit = () => requestAnimationFrame(() => {
    region.style.scrollPaddingTop = `${heads[0].offsetHeight + 4}px`;
    region.style.scrollPaddingLeft = `${heads[0].offsetWidth + 4}px`;
  });
  for (const cell of cells) cell.link.tabIndex = -1;
  stop(cells[0]);
  addEventListener("resize", fit);

  const vertically = (from, step) => {
    const below = (y) => lines[y].filter((cell) => cell.x === from.x && seen(cell));
    const stack = below(from.y);
    const inside = stack[stack.indexOf(from) + step];
    if (inside) return inside;
    for (let y = from.y + step; rows[y]; y += step) {
      const found = below(y);
      if (found.length) return found.at(step > 0 ? 0 : -1);
    }
    return undefined;
  };
  const moves = {
    ArrowRight: (from, line) => line[line.indexOf(from) + 1],
    ArrowLeft: (from, line) => line[line.indexOf(from) - 1],
    ArrowDown: (from) => vertically(from, 1),
    ArrowUp: (from) => vertically(from, -1),
    Home: (from, line, all) => (all ? cells.find(seen) : line[0]),
    End: (from, line, all) => (all ? cells.findLast(seen) : line.at(-1)),
  };
  table.addEventListener("keydown", (event) => {
    const from = cellOf.get(event.target.closest("a[id]"));
    const move = moves[event.key];
    if (!from || !move || event.altKey || event.metaKey || event.shiftKey) return;
    const line = lines[from.y].filter(seen);
    const to = move(from, line, event.ctrlKey);
    event.preventDefault();
    if (to) { stop(to); to.link.focus(); }
  });
  table.addEventListener("focusin", (event) => {
    const cell = cellOf.get(event.target.closest("a[id]"));
    if (cell) stop(cell);
  });

  // A cell opens in a panel; its name in the address leads there again.
  const panel = byId("panel");
  const named = () => {
    try {
      return cellOf.get(byId(decodeURIComponent(location.hash.slice(1))));
    } catch {
      return undefined;
    }
  };
  const open = (cell) => {
    const title = byId("panel-title");
    const [artifact, host] = [cell.row.cells[0], heads[cell.x]].map((head) => head.querySelector("bdi").cloneNode(true));
    const small = every("small", cell.row.cells[0]).map((each) => each.textContent).join(", ");
    const verdict = [...cell.link.childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent).join("").trim();
    title.replaceChildren(verdict, ": ", artifact, small ? `, ${small},` : "", " on ", host);
    byId("panel-link").href = `#${cell.link.id}`;
    const body = [...cell.detail.childNodes].map((node) => node.cloneNode(true));
    byId("panel-body").replaceChildren(...body);
    stop(cell);
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    title.focus();
  };
  const follow = () => {
    const cell = named();
    if (cell) open(cell);
    else if (panel.open) panel.close();
  };
  table.addEventListener("click", (event) => {
    const link = event.target.closest("a[id]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (location.hash === `#${link.id}`) open(cellOf.get(link));
    else location.hash = link.id;
  });
  byId("panel-close").addEventListener("click", () => panel.close());
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  panel.addEventListener("close", () => {
    if (named()) history.replaceState(null, "", location.href.split("#")[0]);
    byId("panel-body").replaceChildren();
    if (current) current.link.focus();
  });
  addEventListener("hashchange", follow);

  // Filters: a cell is seen where its verdict, its host and every word of the search fit.
  const form = document.querySelector(".filter");
  const texts = new Map();
  const textOf = (node) => {
    if (!texts.has(node)) {
      // A detail names all its places; which of them is meant is told by the row and the column.
      const parts = node.matches("article") ? [...node.children].filter((each) => !each.matches(".where")) : [node];
      texts.set(node, parts.map((each) => each.textContent).join(" ").toLowerCase());
    }
    return texts.get(node);
  };
  const hide = (cell, all, wanted) => {
    const x = cell.cellIndex;
    cell.hidden = !all && columns.has(x) && !wanted.has(x);
  };
  const filter = () => {
    const words = byId("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const host = byId("host").value;
    const kinds = new Set(every("[name=kind]:checked", form).map((box) => box.value));
    const all = !words.length && !host && every("[name=kind]", form).every((box) => box.checked);
    const shown = { cells: 0, rows: new Set(), columns: new Set(), details: new Set() };
    for (const cell of cells) {
      const places = [cell.link, cell.row.cells[0], heads[cell.x], cell.detail];
      const fits = kinds.has(cell.link.className.split(" ")[0]) && (!host || cell.x === Number(host))
        && words.every((word) => places.some((place) => textOf(place).includes(word)));
      cell.link.classList.toggle("off", !fits);
      if (!fits) continue;
      shown.cells += 1;
      shown.rows.add(cell.row);
      shown.columns.add(cell.x);
      shown.details.add(cell.detail);
    }
    for (const row of rows) {
      row.hidden = !all && !shown.rows.has(row);
      for (const cell of row.cells) hide(cell, all, shown.columns);
    }
    for (const head of heads) hide(head, all, shown.columns);
    for (const detail of every(".details > details")) detail.hidden = !all && !shown.details.has(detail.lastElementChild);
    region.hidden = !shown.cells;
    byId("nothing").hidden = shown.cells > 0;
    byId("shown").textContent = all ? "" : `${shown.cells.toLocaleString("en")} of ${cells.length.toLocaleString("en")} results`;
    if (!current || !seen(current)) stop(cells.find(seen));
    fit();
  };
  form.addEventListener("input", filter);
  const compact = byId("compact");
  const condense = () => { table.classList.toggle("compact", compact.checked); fit(); };
  compact.addEventListener("change", condense);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); condense(); }));
  condense();
  filter();
  follow();
})();
