"use strict";
// Draws the figures and tables of a report (internal/figures/report.go).
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const element = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };

  function shown(v, kind) {
    if (v === null || v === undefined) return "";
    if (kind !== "number" || typeof v !== "number") return String(v);
    if (Number.isInteger(v)) return v.toLocaleString("en-US", { useGrouping: Math.abs(v) > 9999 });
    return Math.abs(v) < 1e-3 ? v.toExponential(2) : Math.abs(v) < 1e4 ? v.toPrecision(4) : v.toFixed(0);
  }

  const pageRows = 25;

  function drawTable(root, table) {
    let sort = table.sort,
      down = true,
      search = "",
      limit = pageRows;
    const chosen = new Map(),
      bar = element("div", "filters"),
      scroll = element("div", "scroll"),
      grid = element("table"),
      more = element("button", "", "Show more");
    const status = element("span", "quiet"),
      body = element("tbody"),
      head = element("tr");
    status.setAttribute("role", "status");
    more.type = "button";
    more.onclick = () => {
      limit += 100;
      draw();
    };
    if (table.rows.length > 10) {
      const label = element("label", "", "Search "),
        input = element("input");
      input.type = "search";
      input.oninput = () => {
        search = input.value.toLowerCase();
        limit = pageRows;
        draw();
      };
      label.append(input);
      bar.append(label);
    }
    table.columns.forEach((column, i) => {
      if (!column.filter) return;
      const values = [...new Set(table.rows.map((r) => r[i]))].sort((a, b) =>
        typeof a === "number" ? a - b : String(a).localeCompare(String(b)),
      );
      if (values.length < 2) return;
      const label = element("label", "", column.name + " "),
        select = element("select");
      select.append(element("option", "", "all"), ...values.map((v) => element("option", "", shown(v, column.kind))));
      select.onchange = () => {
        select.selectedIndex ? chosen.set(i, values[select.selectedIndex - 1]) : chosen.delete(i);
        limit = pageRows;
        draw();
      };
      label.append(select);
      bar.append(label);
    });
    bar.append(status);
    // A column without a value says nothing, and is left out.
    const empty = table.columns.map(
      (_, i) => table.rows.length > 0 && table.rows.every((r) => r[i] === null || r[i] === ""),
    );
    table.columns.forEach((column, i) => {
      const cell = element("th", column.kind),
        button = element("button", "sort", column.name);
      cell.scope = "col";
      button.type = "button";
      button.onclick = () => {
        down = sort === i ? !down : column.kind === "number";
        sort = i;
        draw();
      };
      cell.append(button);
      cell.hidden = empty[i];
      head.append(cell);
    });
    const thead = element("thead");
    thead.append(head);
    grid.append(thead, body);
    scroll.append(grid);
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", root.closest("section").getAttribute("aria-label"));
    root.append(bar, scroll, more);

    function draw() {
      let rows = table.rows.filter(
        (r) =>
          [...chosen].every(([i, v]) => r[i] === v) &&
          (!search || r.some((v) => v !== null && String(v).toLowerCase().includes(search))),
      );
      if (sort >= 0) {
        const compare = (a, b) =>
          typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
        rows = [...rows].sort((a, b) =>
          a[sort] === null ? 1 : b[sort] === null ? -1 : (down ? -1 : 1) * compare(a[sort], b[sort]),
        );
      }
      [...head.children].forEach((cell, i) => {
        if (i === sort) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
      body.replaceChildren(
        ...rows.slice(0, limit).map((row) => {
          const line = element("tr");
          table.columns.forEach((column, i) => {
            const cell = element("td", column.kind);
            if (column.kind === "link") {
              if (row[i]) {
                const a = element("a", "", "open");
                a.href = row[i];
                a.target = "_blank";
                a.rel = "noopener noreferrer";
                cell.append(a);
              }
            } else {
              cell.textContent = shown(row[i], column.kind);
              if (column.kind === "text" && cell.textContent.length > 28) {
                cell.title = cell.textContent;
                cell.classList.add("long");
              }
            }
            cell.hidden = empty[i];
            line.append(cell);
          });
          return line;
        }),
      );
      status.textContent =
        rows.length === table.rows.length
          ? rows.length.toLocaleString("en-US") + (rows.length === 1 ? " row" : " rows")
          : rows.length.toLocaleString("en-US") +
            " of " +
            table.rows.length.toLocaleString("en-US") +
            (table.rows.length === 1 ? " row" : " rows");
      more.hidden = rows.length <= limit;
    }
    draw();
  }

  for (const root of document.querySelectorAll("[data-table]"))
    drawTable(
      root,
      report.tables.find((t) => t.id === root.dataset.table),
    );
  for (const root of document.querySelectorAll("[data-figure]"))
    drawFigure(
      root,
      report.figures.find((f) => f.name === root.dataset.figure),
    );
})();
