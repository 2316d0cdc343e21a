"""The extension as a guest in Python's process."""

import ctypes
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings

import duckdb
import numpy as np

import saedb

MANY = "SELECT sum((logit_stats(list_transform(range(16), lambda j: sin(i + j)), 'm')).std) FROM range({}) t(i)"
LINUX = sys.platform == "linux"


def filled(path=":memory:"):
    con = saedb.connect(path)
    w_u = np.random.default_rng(0).normal(size=(16, 3000)).astype("f4")
    saedb.add_model(con, w_u, name="m", tokens=[f"word{i}" for i in range(3000)])
    return con


def memory() -> int:
    """Resident memory of this process in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]


def allocated() -> int:
    """Bytes that are allocated with malloc in this process."""
    gc.collect()
    ask = ctypes.CDLL("libc.so.6").mallinfo2  # glibc 2.33
    ask.restype = MallInfo
    info = ask()
    return int(info.uordblks + info.hblkhd)


class Process(unittest.TestCase):
    def test_loaded_twice(self):
        con = filled()
        before = con.execute(MANY.format(10)).fetchone()
        saedb.load(con)
        saedb.load(con.cursor())
        self.assertEqual(con.execute(MANY.format(10)).fetchone(), before)

    def test_unsigned_not_allowed(self):
        with self.assertRaisesRegex(duckdb.Error, "unsigned|signature"):
            saedb.load(duckdb.connect())

    def test_two_databases(self):
        a, b = filled(), saedb.connect()
        with self.assertRaisesRegex(duckdb.Error, 'model "m": no such model'):
            b.execute(MANY.format(1))
        saedb.add_model(b, np.ones((16, 5), "f4"), name="m", tokens=list("abcde"))
        self.assertEqual(b.execute(MANY.format(10)).fetchone(), (0.0,))
        a.close()
        self.assertEqual(b.execute(MANY.format(10)).fetchone(), (0.0,))

    @unittest.skipUnless(LINUX, "looks at /proc")
    def test_closed_is_closed(self):
        """The extension does not keep a closed database open, which would lock its file."""
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "closed.db")
            con = filled(path)
            con.execute(MANY.format(10)).fetchone()
            con.close()
            held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")]
            self.assertEqual([name for name in held if "closed.db" in name], [])
            self.assertFalse(os.path.exists(path + ".wal"))  # checkpointed
            with saedb.connect(path, read_only=True) as con:  # with other settings, which an open one would refuse
                self.assertIsNotNone(con.execute(MANY.format(10)).fetchone()[0])

    def test_threads(self):
        con = filled()
        want, found = con.execute(MANY.format(5000)).fetchone(), []

        def ask():
            found.append(con.cursor().execute(MANY.format(5000)).fetchone())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), 8)
        for value in found:
            self.assertAlmostEqual(value[0], want[0], places=6)

    def test_threads_that_write(self):
        """What threads load and compute at the same time is there once."""
        con, w_dec = filled(), np.random.default_rng(1).normal(size=(9000, 16)).astype("f4")
        threads, done = con.execute("SELECT current_setting('threads')").fetchone(), []

        def work():
            mine = con.cursor()
            saedb.add_sae(mine, w_dec, name="s", hook="blocks.0.hook_resid_pre")
            done.append(sum(c.features for c in saedb.compute(mine)))

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(sorted(done), [0, 0, 0, 9000])
        self.assertEqual(con.execute("SELECT count(*), count(DISTINCT feature) FROM features").fetchone(), (9000, 9000))
        self.assertEqual(con.execute("SELECT count(*) FROM saes").fetchone(), (1,))
        self.assertEqual(con.execute("SELECT current_setting('threads')").fetchone(), threads)

    def test_functions_while_computing(self):
        """Queries with the functions go on while another thread computes, and neither waits for the other for ever."""
        con, w_dec = filled(), np.random.default_rng(1).normal(size=(3000, 16)).astype("f4")
        names, asked, stop = [f"s{i}" for i in range(5)], [], threading.Event()
        for i, name in enumerate(names):
            saedb.add_sae(con, w_dec + i, name=name, hook="blocks.0.hook_resid_pre")

        def ask():
            mine = con.cursor()
            while not stop.is_set():
                asked.append(mine.execute(MANY.format(3000)).fetchone())

        def compute():
            for name in names:
                saedb.compute(con.cursor(), sae=name)
            stop.set()

        threads = [threading.Thread(target=work, daemon=True) for work in (ask, ask, ask, compute)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            self.assertFalse(thread.is_alive())
        self.assertGreater(len(asked), 3)
        self.assertEqual(con.execute("SELECT count(*) FROM features").fetchone(), (15_000,))

    def interrupt(self, work):
        """Ctrl-C, half a second into the work or right after it."""
        timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        try:
            with self.assertRaises((KeyboardInterrupt, RuntimeError, duckdb.Error)):
                work()
                time.sleep(5)
        finally:
            timer.join()

    def test_keyboard_interrupt(self):
        """Ctrl-C raises, and the connection goes on. When depends on DuckDB: sometimes it
        notices only after the query, with any functions; interrupt() is the sure way."""
        con = filled()
        self.interrupt(lambda: con.execute(MANY.format(200_000)).fetchall())
        con.interrupt()  # a thread of DuckDB's may still be at work
        self.assertIsNotNone(con.execute(MANY.format(10)).fetchall()[0][0])

    def test_interrupted_computation(self):
        """Ctrl-C ends a computation within a chunk, nothing goes on behind it, and the next call finishes it."""
        con, random = saedb.connect(), np.random.default_rng(0)
        saedb.add_model(con, random.normal(size=(256, 20_000)).astype("f4"), name="m", tokens=[f"word{i}" for i in range(20_000)])
        saedb.add_sae(con, random.normal(size=(20_000, 256)).astype("f4"), name="s", hook="blocks.0.hook_resid_pre")
        self.interrupt(lambda: saedb.compute(con))
        kept = con.execute("SELECT count(*) FROM features WHERE mean IS NOT NULL").fetchall()[0][0]
        self.assertEqual(sum(c.features for c in saedb.compute(con)), 20_000 - kept)
        self.assertEqual(con.execute("SELECT count(mean), count(DISTINCT feature) FROM features").fetchall(), [(20_000, 20_000)])

    def test_stopped_inside_a_chunk(self):
        """interrupt(), where DuckDB tells a function of it, and saedb_cancel() end a function in the midst of a chunk."""
        con = filled()
        con.execute("CALL saedb_load_sets(name := 's', regex := 'word1')")
        slow = "SELECT count(weighted_enrichment(list_transform(range(16), lambda j: sin(i + j)), 'm', ['s'], 1, 1000000)) FROM range(100) t(i)"
        told = tuple(int(part) for part in duckdb.__version__.split(".")[:3]) >= (1, 5, 6)
        for says, stop in [("interrupted", con.interrupt)] * told + [("cancelled", lambda: con.cursor().execute("CALL saedb_cancel()"))]:
            least = float("inf")
            for _ in range(5):  # a machine that is busy with other things gets five tries
                at = []
                timer = threading.Timer(0.5, lambda: (at.append(time.monotonic()), stop()))
                timer.start()
                with self.assertRaisesRegex(duckdb.Error, f"(?i){says}"):
                    con.execute(slow).fetchall()
                least = min(least, time.monotonic() - at[0])
                timer.join()
                if least < 0.2:
                    break
            self.assertLess(least, 0.2, says)
        self.assertIsNotNone(con.execute(MANY.format(10)).fetchall()[0][0])
        self.assertEqual(con.execute("FROM saedb_cancel()").fetchall(), [(0,)])

    def test_interrupt(self):
        """An interrupted query ends soon, and the connection goes on."""
        con = filled()
        timer, begun = threading.Timer(0.5, con.interrupt), time.monotonic()
        timer.start()
        # DuckDB's own exception, or that of a function which stopped in the midst of its work.
        with self.assertRaisesRegex(duckdb.Error, "(?i)interrupted"):
            con.execute(MANY.format(50_000_000)).fetchall()
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIsNotNone(con.execute(MANY.format(10)).fetchall()[0][0])

    def test_interrupted_compute(self):
        """Ctrl-C ends a computation after a block, which is kept."""
        con = filled()
        features = 150_000
        saedb.add_sae(con, np.random.default_rng(1).normal(size=(features, 16)).astype("f4"), name="s")
        self.interrupt(lambda: saedb.compute(con))
        done = con.execute("SELECT count(*) FROM stored_statistics").fetchone()[0]
        self.assertLessEqual(done, features)
        self.assertEqual(sum(c.features for c in saedb.compute(con) if c.features) > 0, done < features)
        self.assertEqual(con.execute("SELECT count(DISTINCT feature) FROM stored_statistics").fetchone(), (features,))

    def test_errors_leave_the_process_alive(self):
        con = filled()
        for query, says in [
            ("SELECT logit_stats([1, 2]::FLOAT[], 'm')", "expected 16 values"),
            ("SELECT logit_stats(NULL, 'no')", None),
            ("FROM read_sae('nowhere')", "nowhere: does not exist"),
            ("CALL saedb_load_model('nowhere')", "nowhere"),
            ("CALL saedb_add_model('no', '{}')", "nothing was handed over"),
            ("CALL saedb_add_sae('no', '[')", "is not JSON"),
            ("CALL saedb_wanted_tensors('{}', '[]')", "has no model_type"),
            ("SELECT saedb_hand_over('h', 5, ''::BLOB)", "expected offset 0"),
            ("CALL saedb_compute(database := 'no')", "no"),
        ]:
            with self.subTest(query):
                if says is None:
                    con.execute(query).fetchall()
                    continue
                with self.assertRaisesRegex(duckdb.Error, says):
                    con.execute(query).fetchall()
        con.execute("SELECT saedb_hand_over('h', 0, 'not a safetensors file'::BLOB)")
        with self.assertRaisesRegex(duckdb.Error, "safetensors"):
            con.execute("""CALL saedb_add_sae('h', '{"name": "s", "config": {}}')""")
        self.assertIsNotNone(con.execute(MANY.format(10)).fetchone()[0])

    @unittest.skipUnless(LINUX, "asks glibc")
    def test_nothing_stays_allocated(self):
        """What a query allocates is freed with it, whatever it calls and however it ends. The
        model is registered from files: reading one in a table leaves something in a queue of
        DuckDB's own, which is emptied after some thousand queries (test_memory_is_flat)."""
        con, data = saedb.connect(), os.path.join(os.path.dirname(__file__), "../../loader")
        sae = f"'{data}/sae/testdata/saelens-standard-bf16'"
        direction = "list_transform(range(32), lambda i: sin(i))"
        with tempfile.TemporaryDirectory() as model:
            for part in "model", "vocab":
                shutil.copytree(f"{data}/{part}/testdata/llama", model, dirs_exist_ok=True)
            con.execute(f"CALL saedb_model('m', '{model}')").fetchall()
            queries = [
                f"SELECT logit_stats({direction}, 'm')",
                "SELECT sum((logit_stats(list_transform(range(32), lambda j: sin(i + j)), 'm')).std) FROM range(500) t(i)",
                f"SELECT top_tokens({direction}, 'm', 3)",
                f"SELECT len(logit_weights({direction}, 'm'))",
                "SELECT try(logit_stats([1], 'm')), try(logit_stats([1], 'no model'))",
                f"SELECT count(w_dec) FROM read_sae({sae})",
                f"FROM read_sae({sae}) LIMIT 1",
                f"FROM sae_info({sae})",
                f"SELECT count(token) FROM read_vocab('{model}')",
                f"SELECT count(w_u) FROM read_unembedding('{model}')",
                "SELECT count(*) FROM releases",
                """FROM saedb_wanted_tensors('{"model_type": "gpt2"}', '["wte.weight", "ln_f.weight", "ln_f.bias"]')""",
            ]

            def ask(query, times):
                for _ in range(times):
                    con.execute(query).fetchall()

            for query in queries:
                ask(query, 50)
            for query in queries:
                with self.subTest(query):
                    times = 200
                    for _ in range(3):  # a leak is there each time
                        before = allocated()
                        ask(query, times)
                        grown = (allocated() - before) / times
                        if grown < 100:
                            break
                    self.assertLess(grown, 100)

    @unittest.skipUnless(LINUX, "looks at /proc")
    def test_memory_is_flat(self):
        """4,000 small queries leave nothing behind."""
        con = filled()
        queries = [MANY.format(3), "SELECT top_tokens([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]::FLOAT[], 'm', 3)",
                   "SELECT try(logit_stats([1]::FLOAT[], 'm'))", "FROM saedb_wanted_tensors('{\"model_type\": \"gpt2\"}', '[\"wte.weight\", \"ln_f.weight\", \"ln_f.bias\"]')"]  # fmt: skip

        def ask(times):
            for i in range(times):
                con.execute(queries[i % len(queries)]).fetchall()

        ask(1000)
        before = memory()
        ask(4_000)
        self.assertLess(memory() - before, 9 << 20)

    @unittest.skipUnless(LINUX, "looks at /proc")
    def test_databases_are_released(self):
        """Databases that are closed leave nothing behind, models included."""

        def once():
            con = filled()
            con.execute(MANY.format(10)).fetchone()
            con.close()

        for _ in range(10):
            once()
        before = memory()
        for _ in range(30):
            once()
        self.assertLess(memory() - before, 40 << 20)

    @unittest.skipUnless(hasattr(os, "fork"), "forks")
    def test_fork(self):
        """A process that is forked after the extension was loaded is told so by every call,
        does not hang, and leaves the other one as it was. (DuckDB itself cannot close a
        database there: its own threads are not there either.)"""
        con = filled()
        before = con.execute(MANY.format(10)).fetchall()
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of what this is about
            child = os.fork()
        if child == 0:
            signal.alarm(60)  # ends the child should it wait for something
            told = []
            for ask in [
                lambda: con.cursor().execute(MANY.format(1)).fetchall(),
                lambda: con.cursor().execute("FROM releases").fetchall(),
                lambda: saedb.connect(),
            ]:
                try:
                    ask()
                    told.append("no error")
                except duckdb.Error as error:
                    told.append("forked" if "this process was forked" in str(error) else str(error))
            told.append(str(duckdb.connect().execute("SELECT 42").fetchall()))
            os.write(writing, repr(told).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.assertEqual(pipe.read(), repr(["forked", "forked", "forked", "[(42,)]"]))
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(con.execute(MANY.format(10)).fetchall(), before)

    def test_multiprocessing(self):
        """Processes of their own, and ones forked before the extension is loaded."""
        script = (
            "import multiprocessing, sys, saedb\n"
            "def published(_):\n"
            "    return len(saedb.connect().execute('FROM releases').fetchall())\n"
            "if __name__ == '__main__':\n"
            "    if sys.argv[1] != 'fork':\n"
            "        published(0)\n"
            "    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:\n"
            "        print(len(set(pool.map(published, range(4)))))\n"
        )
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "pool.py")
            with open(path, "w") as file:
                file.write(script)
            for method in ["spawn", "forkserver", "fork"] if LINUX else ["spawn"]:
                with self.subTest(method):
                    done = subprocess.run([sys.executable, path, method], capture_output=True, text=True, timeout=120)
                    self.assertEqual((done.returncode, done.stdout), (0, "1\n"), done.stderr)

    def test_signal_handlers(self):
        """Python's own handlers stay, and so does faulthandler."""
        script = (
            "import faulthandler, signal, saedb; faulthandler.enable(); before = signal.getsignal(signal.SIGINT);"
            "con = saedb.connect(); assert signal.getsignal(signal.SIGINT) is before;"
            "signal.signal(signal.SIGUSR1, lambda *_: print('handled')); signal.raise_signal(signal.SIGUSR1)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "handled\n"), done.stderr)


if __name__ == "__main__":
    unittest.main()
