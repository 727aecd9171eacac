import assert from "node:assert/strict";
import { join } from "node:path";
import { type ActivePolicy, openActivePolicy } from "../../src/policy/active_policy.ts";
import { createBundleMemory } from "../../src/policy/bundle/memory.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { ACME_TOOLS, makePrincipal } from "./sample_tools.ts";

/** Stands for "never"; a change is usually in force within a second. */
const PATIENCE_MS = 20_000;
const CHANGES = 50;

/** A policy that decides by a rule of its own name. */
const textOf = (version: string) => `
version: 1
name: ${version}
tools: { pay: { read: [get_refund], write: [refund] } }
rules: [{ id: ${version}, deny: [read, write] }]
`;
const BROKEN = "version: 1\nname: broken\nrules: [";

/** How a folder that holds `policy.yaml` gets other content. */
interface Volume {
  /** What `policies` names. */
  readonly source: string;
  readonly changes: { readonly [name: string]: (text: string) => Promise<void> };
}

let counter = 0;
const freshName = (folder: string) => join(folder, `fresh-${counter++}`);

async function makeFolder(path: string, text: string): Promise<void> {
  await Deno.mkdir(path);
  await Deno.writeTextFile(join(path, "policy.yaml"), text);
}

/** As `mv -T` does: the new link takes the name of the old one at once. */
async function turnLink(link: string, target: string): Promise<void> {
  const fresh = `${link}.${counter++}`;
  await Deno.symlink(target, fresh);
  await Deno.rename(fresh, link);
}

async function replaceFile(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${path}~`, text);
  await Deno.rename(`${path}~`, path);
}

async function writeInPieces(path: string, text: string): Promise<void> {
  const file = await Deno.open(path, { write: true, truncate: true });
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 40) {
    await file.write(bytes.subarray(at, at + 40));
    await pause(30);
  }
  file.close();
}

/** Somebody unmounts the volume and mounts it again later, with other content. */
async function mountLate(folder: string, text: string): Promise<void> {
  await Deno.rename(folder, freshName(`${folder}/..`));
  await pause(900);
  const late = freshName(`${folder}/..`);
  await makeFolder(late, text);
  await Deno.rename(late, folder);
}

/** As kubelet lays a ConfigMap out: `policy.yaml → ..data/policy.yaml`, `..data → ..<time>`. */
async function configMap(root: string, mountsFile: boolean, text: string): Promise<Volume> {
  const mount = join(root, "vol");
  await Deno.mkdir(mount);
  const swap = async (next: string) => {
    const version = `..version-${counter++}`;
    await makeFolder(join(mount, version), next);
    const old = await Deno.readLink(join(mount, "..data")).catch(() => null);
    await turnLink(join(mount, "..data"), version);
    if (old !== null) await Deno.remove(join(mount, old), { recursive: true });
  };
  await swap(text);
  await Deno.symlink("..data/policy.yaml", join(mount, "policy.yaml"));
  return { source: mountsFile ? join(mount, "policy.yaml") : mount, changes: { swap } };
}

async function plainFolder(root: string, text: string): Promise<Volume> {
  const folder = join(root, "pol");
  await makeFolder(folder, text);
  const file = join(folder, "policy.yaml");
  return {
    source: folder,
    changes: {
      write: (next) => Deno.writeTextFile(file, next),
      "rename a file": (next) => replaceFile(file, next),
      "write in pieces": (next) => writeInPieces(file, next),
      "mount late": (next) => mountLate(folder, next),
      async "replace the folder"(next) {
        const fresh = freshName(root);
        await makeFolder(fresh, next);
        await Deno.rename(folder, freshName(root));
        await Deno.rename(fresh, folder);
      },
    },
  };
}

/** `policies: ./current`, a link to the release of the day. */
async function linkedFolder(root: string, text: string): Promise<Volume> {
  const current = join(root, "current");
  const release = async (next: string) => {
    const fresh = freshName(root);
    await makeFolder(fresh, next);
    await turnLink(current, fresh);
  };
  await release(text);
  return {
    source: current,
    changes: {
      "turn the link": release,
      "write behind the link": (next) => Deno.writeTextFile(join(current, "policy.yaml"), next),
    },
  };
}

const VOLUMES: { readonly [name: string]: (root: string, text: string) => Promise<Volume> } = {
  "a ConfigMap that mounts one file": (root, text) => configMap(root, true, text),
  "a ConfigMap that mounts a folder": (root, text) => configMap(root, false, text),
  "a plain folder": plainFolder,
  "a linked folder": linkedFolder,
};

/** The rule that a call is decided by, and what the service says of it. */
function decisionOf(active: ActivePolicy): { because: string; name: string; isRejected: boolean } {
  const tool = ACME_TOOLS.find(({ id }) => id === "pay.get_refund");
  assert.ok(tool !== undefined);
  const { because } = active.current().decide({
    principal: makePrincipal({}),
    space: "default",
    tool,
    args: {},
    execution: { tainted: false, sources: [] },
  });
  const { name, rejected } = active.status();
  return { because: because.join(), name, isRejected: rejected !== null };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function drive(name: string, make: typeof VOLUMES[string], seed: number): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "toolgate-volume-" });
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const { source, changes } = await make(root, textOf("v0"));
  const active = await openActivePolicy({
    config: { policies: source },
    tools: () => ACME_TOOLS,
    isListed: () => true,
    now: Date.now,
    bundles: createBundleMemory(createMemoryStore()),
    audit: () => Promise.resolve(),
    log: () => {},
  });
  try {
    let valid = "v0";
    const ways = Object.entries(changes);
    for (let change = 1; change <= CHANGES; change++) {
      const [way, apply] = ways[Math.floor(random() * ways.length)] ?? assert.fail();
      const isBroken = random() < 0.2;
      if (!isBroken) valid = `v${change}`;
      await apply(isBroken ? BROKEN : textOf(valid));
      const right = { because: valid, name: valid, isRejected: isBroken };
      const from = performance.now();
      while (performance.now() - from < PATIENCE_MS) {
        if (JSON.stringify(decisionOf(active)) === JSON.stringify(right)) break;
        await pause(50);
      }
      assert.deepEqual(decisionOf(active), right, `${name}, change ${change}: ${way}`);
    }
  } finally {
    await active.close();
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("the newest valid policy is in force, however its files change", async () => {
  const volumes = Object.entries(VOLUMES);
  await Promise.all(volumes.map(([name, make], index) => drive(name, make, 4_711 + index)));
});
