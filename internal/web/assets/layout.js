// Where features lie on a map: computed once for a page's time, by a worker, so that the page
// answers meanwhile.
const epochs = 200,
  seed = 1,
  patience = 5000; // milliseconds that a layout goes on for when nobody waits for it
const known = new Map(), // layouts that are done, by key
  running = new Map(); // those that are under way

// The layout of neighbours: how far it is, { epoch, epochs }, is told to say, now and then and when it
// is done with { xs, ys }, and an error to fail. wanted says whether somebody still waits for it. Who
// asks for a layout that is under way is told of it in place of who asked before.
export function layOut(key, graph, wanted, say, fail) {
  if (known.has(key)) return say(known.get(key));
  const one = Object.assign(running.get(key) || {}, { wanted, say, fail });
  if (!one.worker) start(key, graph, one);
  else if (one.last) say(one.last);
}

function start(key, { neighbours, distances }, one) {
  one.worker = new Worker("map-worker.js");
  one.asked = performance.now();
  running.set(key, one);
  const stop = () => {
    one.worker.terminate();
    running.delete(key);
  };
  one.worker.onmessage = ({ data }) => {
    const at = { ...data, epochs };
    if (at.xs) one.last = at;
    if (at.epoch === epochs) {
      known.set(key, at);
      stop();
    }
    if (one.wanted()) {
      one.asked = performance.now();
      one.say(at);
    } else if (performance.now() - one.asked > patience) stop();
  };
  one.worker.onerror = (e) => {
    stop();
    one.fail(new Error(e.message || "the browser did not start the worker that lays the map out"));
  };
  one.worker.postMessage({ neighbours, distances, epochs, seed });
}
