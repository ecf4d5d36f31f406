"use strict";
(() => {
  const table = document.getElementById("class");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const heads = Array.from(table.tHead.rows[0].cells);
  const find = document.getElementById("find");
  const status = document.getElementById("status");
  const criterion = document.getElementById("criterion");
  const first = heads.findIndex((head) => head.dataset.sort === "verdict");
  const order = ["pass", "pending", "blocked", "fail", "error", "broken"];
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const plain = (text) => text.normalize("NFKC").toLocaleLowerCase();
  const text = new Map(
    rows.map((row) => [row, plain(row.cells[0].textContent + "\n" +
      Array.from(row.querySelectorAll("td.known code"), (code) => code.textContent).join("\n"))]),
  );

  const keys = {
    text: (cell) => cell.textContent,
    number: (cell) => parseFloat(cell.dataset.v ?? cell.textContent) || 0,
    verdict: (cell) => order.findIndex((name) => cell.classList.contains(name)),
  };
  const compare = { text: (a, b) => collator.compare(a, b), number: (a, b) => a - b, verdict: (a, b) => a - b };

  const sort = (column) => {
    const head = heads[column];
    const kind = head.dataset.sort;
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const keyed = rows.map((row, place) => [keys[kind](row.cells[column]), place, row]);
    keyed.sort((a, b) => sign * compare[kind](a[0], b[0]) || a[1] - b[1]);
    body.append(...keyed.map((each) => each[2]));
  };

  const show = () => {
    const wanted = plain(find.value.trim());
    let shown = 0;
    for (const row of rows) {
      const cell = criterion.value === "" ? null : row.cells[first + Number(criterion.value)];
      const fits = text.get(row).includes(wanted) &&
        (status.value === "" || row.dataset.status === status.value) &&
        (cell === null || !(cell.classList.contains("pass") || cell.classList.contains("pending")));
      row.hidden = !fits;
      shown += fits;
    }
    document.getElementById("shown").textContent = shown + " / " + rows.length;
    document.getElementById("nobody").hidden = shown > 0;
  };

  const everybody = () => {
    find.value = status.value = criterion.value = "";
    show();
  };

  const step = (by) => {
    const links = Array.from(body.querySelectorAll("tr:not([hidden]) .name"));
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? (by > 0 ? 0 : -1) : at + by];
    if (next) next.focus();
    else if (at === 0) find.focus();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
  find.addEventListener("input", show);
  status.addEventListener("change", show);
  criterion.addEventListener("change", show);
  for (const pick of document.querySelectorAll(".pick")) {
    pick.hidden = false;
    pick.addEventListener("click", () => {
      everybody();
      find.value = pick.dataset.find;
      show();
      find.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = document.activeElement;
    const typing = inside.matches("input, select, textarea");
    const among = inside === find || body.contains(inside);
    if (event.key === "/" && !typing) find.focus();
    else if (event.key === "Escape") everybody();
    else if (event.key === "ArrowDown" && among) step(1);
    else if (event.key === "ArrowUp" && among) step(-1);
    else return;
    event.preventDefault();
  });
  document.querySelector(".controls").hidden = false;
  // A browser that goes back to the page fills the fields in again.
  show();
})();
