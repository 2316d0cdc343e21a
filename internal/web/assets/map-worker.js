"use strict";
// Lays features out in two dimensions by UMAP, from their nearest neighbours, beside the page. It is
// asked once with { neighbours, distances, epochs, seed }: places of each feature's neighbours and
// their cosine distances, the nearest first. It answers { epoch }, now and then and at the end with
// { xs, ys }.
importScripts("umap.js");

// Numbers from 0 to 1, the same for a seed in every browser: a Weyl sequence, its bits mixed.
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

self.onmessage = (asked) => {
  const { neighbours, distances, epochs, seed } = asked.data,
    most = neighbours.reduce((longest, n) => Math.max(longest, n.length), 0),
    // Each feature is the first of its own list, as umap-js makes such lists; -1 stands for none.
    places = neighbours.map((n, i) => [i, ...n, ...Array(most - n.length).fill(-1)]),
    layout = new UMAP.UMAP({ nNeighbors: most + 1, nEpochs: epochs, random: random(seed) });
  layout.setPrecomputedKNN(
    places,
    distances.map((d) => [0, ...d]),
  );
  layout.initializeFit(neighbours); // of which only the number is read
  // Where they lie is sent as often as a page can draw so many points beside its other work.
  const pause = 700 + neighbours.length / 8;
  let drawn = performance.now(),
    said = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    layout.step();
    const now = performance.now();
    if (epoch === epochs || now - drawn > pause) {
      const at = layout.getEmbedding();
      postMessage({ epoch, xs: at.map((p) => p[0]), ys: at.map((p) => p[1]) });
      drawn = said = now;
    } else if (now - said > 200) {
      postMessage({ epoch });
      said = now;
    }
  }
};
