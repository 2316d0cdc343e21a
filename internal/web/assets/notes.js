// Stars, labels and notes of one's own, and queries that were saved: they are kept in a file
// beside the database.
import { address, element, featureAddress, get, link, post, table, typing, whole } from "./elements.js";

const when = (changed) => changed.slice(0, 16).replace("T", " ");

// What one has written of a feature, on its page, with what changes it: s stars it, n goes to the
// note. Nothing where the server keeps no notes.
export async function noteOf(f) {
  const { path, note } = await get("note", { sae: f.sae, feature: f.feature });
  if (!path) return null;
  const kept = { sae: f.sae, feature: Number(f.feature), starred: false, label: "", note: "", ...note };
  delete kept.changed;
  const said = element("p", { class: "quiet", role: "status" });
  const star = element("button", { type: "button", class: "star", title: "Star this feature (key s)" });
  const label = element("input", { type: "text", maxlength: "200", value: kept.label, autocomplete: "off" });
  const text = element("textarea", { rows: "3", maxlength: "10000", "data-key": "note" }, kept.note);
  const show = () => {
    star.setAttribute("aria-pressed", String(kept.starred));
    star.textContent = kept.starred ? "★ starred" : "☆ star";
  };
  const keep = async (changes) => {
    const before = { ...kept };
    Object.assign(kept, changes);
    show();
    said.textContent = "…";
    try {
      await post("note", kept);
      said.textContent = "kept in " + path;
    } catch (e) {
      Object.assign(kept, before);
      show();
      said.textContent = e.message;
    }
  };
  star.onclick = () => keep({ starred: !kept.starred });
  const form = element(
    "form",
    {
      class: "mynote",
      onsubmit: (e) => {
        e.preventDefault();
        keep({ label: label.value, note: text.value });
      },
    },
    element("label", {}, "Your label ", label),
    element("label", {}, "Your note ", text),
    element("div", { class: "actions" }, element("button", { type: "submit" }, "Keep"), said),
  );
  const details = element(
    "details",
    { open: Boolean(kept.label || kept.note) },
    element("summary", { title: "Write a note (key n)" }, "Note"),
    form,
  );
  show();
  const section = element("section", { class: "mine", "aria-label": "Your note" }, star, details);
  section.addEventListener("star", () => star.click());
  section.addEventListener("note", () => {
    details.open = true;
    text.focus();
  });
  return section;
}

// The keys of a feature's page, where nothing is typed.
document.addEventListener("keydown", (e) => {
  const name = { s: "star", n: "note" }[e.key];
  if (!name || e.ctrlKey || e.metaKey || e.altKey || typing()) return;
  const mine = document.querySelector("main .mine");
  if (!mine) return;
  e.preventDefault();
  mine.dispatchEvent(new Event(name));
});

// The page of all notes.
export async function notesPage() {
  const { path, notes, queries } = await get("notes");
  const parts = ["Notes", element("h1", {}, "Notes")];
  if (!path) return [...parts, element("p", {}, "This server keeps no notes: it was started with --no-notes.")];
  const where = `What you star, label and note on the pages of features is kept in ${path}: in SQL, my_notes.`;
  const list = element("div", {}, ...allOf(notes));
  parts.push(
    element("p", { class: "quiet" }, where),
    list,
    importer(async () => list.replaceChildren(...allOf((await get("notes")).notes))),
  );
  if (queries.length > 0)
    parts.push(
      element("h2", {}, "Saved queries"),
      element("ul", {}, ...queries.map((q) => element("li", {}, link(address("sql", { q: q.query }), q.name)))),
    );
  return parts;
}

// The table of notes, and the file of them.
function allOf(notes) {
  if (notes.length === 0)
    return [element("p", {}, "There is none yet: open a feature, and press s to star it, or n to write.")];
  return [
    table(
      "Notes",
      [
        ["", "", (n) => (n.starred ? element("span", { role: "img", "aria-label": "starred" }, "★") : "")],
        ["feature", "number", (n) => (n.loaded ? link(featureAddress(n), String(n.feature)) : n.feature)],
        ["layer", "number", (n) => n.layer],
        ["label", "", (n) => n.label || "–"],
        ["note", "words", (n) => n.note || "–"],
        ["SAE", "", (n) => n.sae + (n.loaded ? "" : " (not in this database)")],
        ["changed", "", (n) => when(n.changed)],
      ],
      notes,
    ),
    element("p", {}, element("a", { href: "/api/notes.csv", download: "notes.csv" }, "Download as CSV")),
  ];
}

// Reads a CSV file of notes, as the page gives it. Where the file says something else than notes that are
// kept, it asks what becomes of these before anything is written. draw shows the notes again.
function importer(draw) {
  const said = element("div", { role: "status" }),
    file = element("input", { type: "file", accept: ".csv,text/csv" });
  const count = (n, what) => `${whole(n)} ${what}${n === 1 ? "" : "s"}`;
  const failed = (e) => said.replaceChildren(element("p", { class: "error", role: "alert" }, e.message));
  const send = async (csv, differing) => {
    said.textContent = "…";
    const m = await post("notes", { csv, differing });
    if (m.written) {
      const kept = differing === "keep",
        parts = [`${whole(m.added)} added`, `${whole(m.differ.length)} ${kept ? "left as they are" : "replaced"}`];
      parts.push(`${whole(m.same)} the same`);
      if (m.not_loaded > 0) parts.push(`${whole(m.not_loaded)} of SAEs that are not in this database`);
      await draw();
      said.replaceChildren(element("p", {}, `${count(m.notes, "note")} read: ${parts.join(", ")}.`));
      return;
    }
    const some = m.differ.slice(0, 5).map((n) => `${n.feature} of ${n.sae}`),
      more = m.differ.length - some.length;
    const choice = (text, differing) =>
      element("button", { type: "button", onclick: () => send(csv, differing).catch(failed) }, text);
    const replace = choice("Replace them by the file's", "replace");
    said.replaceChildren(
      element(
        "p",
        {},
        `Nothing is written yet: the file says something else than ${count(m.differ.length, "note")} of yours: `,
        "feature " + some.join(", ") + (more > 0 ? ` and ${whole(more)} more.` : "."),
      ),
      element("p", { class: "actions" }, replace, choice("Keep mine, and add the others", "keep")),
    );
    replace.focus();
  };
  file.onchange = async () => {
    if (file.files.length === 0) return;
    try {
      const bytes = await file.files[0].arrayBuffer();
      let csv;
      try {
        csv = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch {
        throw new Error(file.files[0].name + ": expected CSV in UTF-8, found other bytes");
      }
      await send(csv, "");
    } catch (e) {
      failed(e);
    }
    file.value = ""; // the same file, mended, can be chosen again
  };
  return element(
    "div",
    { class: "importer" },
    element("label", {}, "Read notes from CSV ", file),
    element("p", { class: "quiet" }, "All of the file or nothing; notes of other features stay."),
    said,
  );
}

// Saved queries on the page of SQL: those there are, and what saves the one in the box.
export async function savedQueries(query) {
  const { path, queries } = await get("notes");
  if (!path) return null;
  const list = element("ul", { class: "saved" }),
    said = element("span", { class: "quiet", role: "status" }),
    name = element("input", { type: "text", maxlength: "200", autocomplete: "off", "aria-label": "Name of the query" });
  const draw = (all) =>
    list.replaceChildren(
      ...all.map((q) =>
        element(
          "li",
          {},
          link(address("sql", { q: q.query }), q.name),
          element(
            "button",
            { type: "button", "aria-label": "Forget " + q.name, onclick: () => save(q.name, "") },
            "forget",
          ),
        ),
      ),
    );
  const save = async (name, query) => {
    try {
      await post("query", { name, query });
      said.textContent = query ? "saved" : "forgotten";
      draw((await get("notes")).queries);
    } catch (e) {
      said.textContent = e.message;
    }
  };
  draw(queries);
  return element(
    "details",
    { class: "mine" },
    element("summary", {}, "Saved queries"),
    list,
    element(
      "form",
      {
        class: "actions",
        onsubmit: (e) => {
          e.preventDefault();
          save(name.value, query());
        },
      },
      name,
      element("button", { type: "submit" }, "Save this query"),
      said,
    ),
  );
}
