// saedb from Node.js.
//
// usage: node features.mjs DATABASE [EXTENSION]

import { DuckDBInstance, FLOAT, LIST, listValue } from "@duckdb/node-api";

const [database, extension] = process.argv.slice(2);
const instance = await DuckDBInstance.create(database, { access_mode: "READ_ONLY", allow_unsigned_extensions: "true" });
const con = await instance.connect();

// rows are those of a query, as plain objects; vectors among its values are FLOAT[].
async function rows(sql, vectors = []) {
  const reader = await con.runAndReadAll(
    sql,
    vectors.map(listValue),
    vectors.map(() => LIST(FLOAT)),
  );
  return reader.getRowObjectsJS();
}

// Views are tables like any others.
console.log("most skewed features of layer 29:");
for (const f of await rows("SELECT feature, skewness, top_tokens FROM layer_29 ORDER BY skewness DESC LIMIT 5")) {
  console.log(`${String(f.feature).padStart(6)} ${f.skewness.toFixed(2)} ${f.top_tokens.slice(0, 4).join(" ")}`);
}

if (extension) {
  await con.run(`LOAD '${extension}'`);

  // Any vector will do where a decoder direction does: here a steering vector.
  const [a, b] = await rows("SELECT w_dec FROM decoder_directions WHERE layer = 29 AND feature IN (63, 1328)");
  const steering = a.w_dec.map((x, i) => x + b.w_dec[i]);

  const [{ skewness }] = await rows("SELECT (logit_stats($1, 'smollm2-135m')).skewness AS skewness", [steering]);
  console.log(`features 63 + 1328: skewness ${skewness.toFixed(2)}`);
  for (const t of await rows("SELECT unnest(top_tokens($1, 'smollm2-135m', 5), recursive := true)", [steering])) {
    console.log(`${t.logit_weight.toFixed(2).padStart(6)} ${t.text}`);
  }

  console.log("enriched in:");
  const sets = "['all_digits', 'contains_close_bracket', 'boy_names']";
  for (const s of await rows(`SELECT unnest(enrich($1, 'smollm2-135m', ${sets}), recursive := true)`, [steering])) {
    console.log(`${s.es.toFixed(3).padStart(6)} ${s.token_set}, ${s.direction}`);
  }
}
