// What the points of a map are coloured by.
import { scaleOf } from "./cloud.js";
import { get } from "./elements.js";

// What points are coloured by: [name in the address, in words].
export const colors = [
  ["skewness", "skewness"],
  ["label", "label"],
  ["role", "role"],
  ["set", "token set"],
  ["family", "family"],
];

export const colorOf = (p) => (colors.some(([name]) => name === p.color) ? p.color : "skewness");

// What the points of a layout are coloured by: { groups, scale, more }, more being what hovering
// says of it besides.
export async function coloring(p, l, model) {
  const all = l.feature.map((_, i) => i),
    color = colorOf(p);
  const by = (values, grey, palette) => {
    const rest = all.filter((i) => !palette.some(([name]) => values(i) === name));
    return {
      groups: [
        { name: grey, color: "grey", rows: rest },
        ...palette.map(([name, c]) => ({ name, color: c, rows: all.filter((i) => values(i) === name) })),
      ],
    };
  };
  const onScale = (scale, values, grey) => ({
    scale,
    groups: [
      { name: grey, color: "grey", rows: all.filter((i) => values[i] === null || values[i] === undefined) },
      { name: "", color: "blue", values, rows: all.filter((i) => values[i] !== null && values[i] !== undefined) },
    ],
  });
  if (color === "role")
    return by((i) => l.role[i], "no role", [
      ["prediction", "blue"],
      ["suppression", "orange"],
      ["partition", "green"],
    ]);
  if (color === "label") {
    // Labels end with examples in brackets, which differ where the rest is the same.
    const kinds = l.label.map((text) => text?.replace(/ \(.*\)$/, "")),
      counts = new Map();
    for (const k of kinds) if (k) counts.set(k, (counts.get(k) || 0) + 1);
    const names = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name),
      shown = names.slice(0, 4);
    return by(
      (i) => (!kinds[i] || shown.includes(kinds[i]) ? kinds[i] : "another label"),
      "no label",
      [...shown, ...(names.length > 4 ? ["another label"] : [])].map((name, k) => [
        name,
        ["blue", "orange", "green", "purple", "text"][k],
      ]),
    );
  }
  if (color === "set") {
    if (!p.set) return by(() => null, "no set is chosen", []);
    const found = await get("map-colors", { sae: p.sae, set: p.set, model }),
      of = new Map(found.map((r) => [r.feature, r.direction + " beyond chance"]));
    return by((i) => of.get(l.feature[i]), `neither, of ${p.set}`, [
      ["promoted beyond chance", "blue"],
      ["suppressed beyond chance", "orange"],
    ]);
  }
  if (color === "family") {
    const found = await get("map-colors", { sae: p.sae }),
      of = new Map(found.map((r) => [r.feature, r])),
      values = l.feature.map((f) => of.get(f)?.layers);
    const family = (i) => {
      const r = of.get(l.feature[i]);
      return r ? `${r.family}, of ${r.size} features in ${r.layers} layers` : "";
    };
    return {
      ...onScale(scaleOf("layers of its family", values), values, "in no family"),
      more: { name: "family", text: family },
    };
  }
  return onScale(scaleOf("skewness", l.skewness), l.skewness, "not computed");
}
