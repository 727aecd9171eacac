import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { GateError } from "../../../src/model/errors.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import type { Store } from "../../../src/store/store.ts";

interface Watched {
  readonly path: string;
  readonly store: Store;
  /** Resolves with what the store said when it noticed. */
  readonly noticed: Promise<GateError>;
}

async function withStore(use: (watched: Watched) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-watch-" });
  const path = `${folder}/store.kv`;
  const { promise: noticed, resolve } = Promise.withResolvers<GateError>();
  const store = await openKvStore(path, Date.now, resolve);
  await fill(store, 0, 200);
  try {
    await use({ path, store, noticed });
  } finally {
    await store.close();
    for (const left of [folder, `${folder}.away`]) {
      await Deno.remove(left, { recursive: true }).catch(() => {});
    }
  }
}

/** The store looks every second, and does not keep a process alive for that. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("Nothing was noticed in 30 s")), 30_000);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** About three pages an entry, so that checkpoints come soon. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await store.put([{ key: `fill/${n}`, value: `${n}`.repeat(3_000) }]);
  }
}

/** Somebody else's process: handles of our own would take SQLite's locks along when they close. */
async function shell(script: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", script, "sh", ...args] })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function sqlite(path: string, statement: string): Promise<void> {
  const program = `
    import { DatabaseSync } from "node:sqlite";
    const database = new DatabaseSync(Deno.args[0], { timeout: 5000 });
    database.exec(Deno.args[1]);
    database.close();`;
  await shell(
    'printf %s "$4" | "$1" run -A - "$2" "$3"',
    Deno.execPath(),
    path,
    statement,
    program,
  );
}

const DAMAGES: { readonly [name: string]: readonly [script: string, says: RegExp] } = {
  "is deleted": ['rm "$1"', /store\.kv" was deleted or moved/],
  "is renamed": ['mv "$1" "$1.old"', /store\.kv" was deleted or moved/],
  "is replaced by a copy of itself": ['cp "$1" "$1.new" && mv "$1.new" "$1"', /was replaced/],
  "moves with its folder": ['mv "$(dirname "$1")" "$(dirname "$1").away"', /deleted or moved/],
  "is overwritten with garbage": ['head -c 65536 /dev/urandom > "$1"', /was overwritten/],
  "gets garbage behind its header": [
    'head -c 409600 /dev/urandom | dd of="$1" bs=4096 seek=1 conv=notrunc 2>&1',
    /was (damaged|overwritten|written)/,
  ],
  "is emptied": ['truncate -s 0 "$1"', /was overwritten/],
  "is cut": ['truncate -s 8192 "$1"', /was (cut|damaged|written by another program)/],
  "is overwritten with a backup": ['cat "$1.backup" > "$1"', /was (damaged|written by another)/],
  "loses the write-ahead log": ['rm "$1-wal"', /store\.kv-wal" was deleted or moved/],
  "has its write-ahead log overwritten": [
    'head -c 65536 /dev/urandom | dd of="$1-wal" conv=notrunc 2>&1',
    /lost its write-ahead log, which was overwritten/,
  ],
  "has its write-ahead log emptied": ['truncate -s 0 "$1-wal"', /lost its write-ahead log/],
  "loses the log's index": ['rm "$1-shm"', /store\.kv-shm" was deleted or moved/],
  "loses its lock": ['rm "$1.lock"', /store\.kv\.lock" was deleted or moved/],
};

for (const [what, [script, says]] of Object.entries(DAMAGES)) {
  Deno.test({
    name: `a kv store whose file ${what} takes nothing more and says why`,
    // SQLite is left open on purpose: closing, it would write over the file that is there now.
    sanitizeResources: false,
    async fn() {
      await withStore(async ({ path, store, noticed }) => {
        await sqlite(path, `vacuum into '${path}.backup'`);
        await fill(store, 200, 210);
        await shell(script, path);
        const error = await soon(noticed);
        assert.match(error.message, says);
        assert.equal(store.fault(), error.message);
        for (
          const use of [
            () => store.put([{ key: "late", value: 1 }]),
            () => store.get("fill/1"),
            () => store.add("counter", 1),
            () => store.logs(),
          ]
        ) await assert.rejects(use, { code: "ERR_STORE", message: error.message });
      });
    },
  });
}

Deno.test({
  name: "a write into a file that was just deleted is not acknowledged",
  sanitizeResources: false,
  async fn() {
    await withStore(async ({ path, store }) => {
      await Deno.remove(path);
      await assert.rejects(store.put([{ key: "lost", value: 1 }]), /was deleted or moved/);
    });
  },
});

Deno.test("what a kv store without a write-ahead log's name holds is written when it closes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-watch-" });
  const path = `${folder}/store.kv`;
  const store = await openKvStore(path);
  await fill(store, 0, 20);
  await Deno.remove(`${path}-wal`);
  await assert.rejects(store.put([{ key: "last", value: 1 }]), /Restart|was deleted/);
  await store.close();
  const again = await openKvStore(path);
  assert.equal((await again.list("fill/")).length, 20);
  await again.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "a backup that was put in the place of a lost file is opened as it is",
  sanitizeResources: false,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "toolgate-watch-" });
    const path = `${folder}/store.kv`;
    const store = await openKvStore(path);
    await fill(store, 0, 5);
    await sqlite(path, `vacuum into '${path}.backup'`);
    await fill(store, 5, 10);
    await shell('rm "$1"', path);
    await assert.rejects(store.put([{ key: "late", value: 1 }]), { code: "ERR_STORE" });
    await store.close();
    // What another start would see: the dead process's lock is gone, its files are not.
    for (const suffix of ["", "-wal.lost"]) {
      await Deno.copyFile(
        suffix === "" ? `${path}.backup` : `${path}${suffix}`,
        `${folder}/again.kv${suffix}`,
      );
    }
    const again = await openKvStore(`${folder}/again.kv`);
    assert.equal((await again.list("fill/")).length, 5);
    await again.close();
    await Deno.remove(`${folder}/again.kv`);
    await assert.rejects(openKvStore(`${folder}/again.kv`), /it is not there, and .*-wal\.lost/);
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("checkpoints, backups, other readers, VACUUM and touch are not an alarm", async () => {
  await withStore(async ({ path, store }) => {
    let hasEnded = false;
    const others = (async () => {
      for (const round of [1, 2]) {
        await sqlite(path, `vacuum into '${path}.backup${round}'`);
        await sqlite(path, "select count(*) from kv");
        await sqlite(path, "pragma wal_checkpoint");
        await shell('touch "$1"', path);
        await new Promise((resolve) => setTimeout(resolve, 3_500));
      }
      hasEnded = true;
    })();
    let n = 1_000;
    while (!hasEnded) await fill(store, n, n += 20);
    await others;
    await sqlite(path, "vacuum");
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    assert.equal(store.fault(), null);
    assert.equal((await store.get("fill/1"))?.value, "1".repeat(3_000));
    const copy = new DatabaseSync(`${path}.backup2`, { readOnly: true });
    assert.equal(copy.prepare("pragma integrity_check").get()?.["integrity_check"], "ok");
    copy.close();
  });
});
