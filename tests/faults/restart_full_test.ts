import assert from "node:assert/strict";
import { readServiceFile } from "../../src/config/service_file.ts";
import {
  killService,
  readProcess,
  runToolgate,
  toolgateCommand,
} from "../fakes/service_process.ts";
import { withServicePlace } from "../fakes/service_place.ts";

/** Every process in it has an own count of process ids, as in a container. */
const IN_PID_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

Deno.test("after kill -9 the service starts again where every start has the same process id", async () => {
  await withServicePlace(async ({ start, list, serviceFile }) => {
    for (let round = 0; round < 3; round++) {
      const service = await start({ within: IN_PID_NAMESPACE });
      assert.equal((await readServiceFile(serviceFile))?.pid, 1);
      await killService(service);
    }
    // A command in such a namespace is process 1 itself, as the dead service was.
    const inside = await list({ within: IN_PID_NAMESPACE });
    assert.deepEqual([inside.code, inside.stderr], [0, ""]);
    const outside = await list();
    assert.deepEqual([outside.code, outside.stderr], [0, ""]);
  });
});

Deno.test("a zombie, or a foreign process with the id of the dead service, is not taken for the service", async () => {
  await withServicePlace(async ({ start, list, serviceFile }) => {
    // The shell becomes a program that never asks how its child ended.
    const service = await start({ within: ["sh", "-c", '"$@" & exec sleep 600', "sh"] });
    const parent = service.child;
    Deno.kill(service.pid, "SIGKILL");
    try {
      await untilZombie(service.pid);
      const listed = await list();
      assert.deepEqual([listed.code, listed.stderr], [0, ""]);

      const file = await readServiceFile(serviceFile);
      await Deno.writeTextFile(serviceFile, JSON.stringify({ ...file, pid: parent.pid }));
      const again = await list();
      assert.deepEqual([again.code, again.stderr], [0, ""]);
      await killService(await start());
    } finally {
      parent.kill("SIGKILL");
      await parent.status;
    }
  });
});

Deno.test("a child that outlives a killed service does not keep the store", async () => {
  const upstream = `
    const orphan = new Deno.Command("setsid", {
      args: ["sleep", "600"], stdin: "null", stdout: "null", stderr: "null",
    }).spawn();
    Deno.writeTextFileSync(Deno.args[0], String(orphan.pid));
    for await (const _ of Deno.stdin.readable);`;
  const folder = await Deno.makeTempDir({ prefix: "toolgate-orphan-" });
  const pidFile = `${folder}/pid`;
  await Deno.writeTextFile(`${folder}/upstream.ts`, upstream);
  const args = ["run", "--allow-run", "--allow-write", `${folder}/upstream.ts`, pidFile];
  try {
    await withServicePlace(async ({ start, list }) => {
      const service = await start();
      const orphan = Number(await untilThere(pidFile));
      try {
        await killService(service);
        assert.match(await readProcess(orphan, "comm"), /sleep/, "it lives");
        const listed = await list();
        assert.equal(listed.code, 0, listed.stderr);
      } finally {
        Deno.kill(orphan, "SIGKILL");
      }
    }, { mcpServers: { spawning: { command: Deno.execPath(), args } } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("of two services that start at once on one store exactly one serves", async () => {
  await withServicePlace(async ({ configFile, list }) => {
    const both = [0, 1].map(() => {
      const { command, options } = toolgateCommand(["serve", "--config", configFile]);
      return new Deno.Command(command, { ...options, stdout: "null", stderr: "piped" }).spawn();
    });
    const ends = both.map(async (child) => ({
      child,
      status: await child.status,
    }));
    const loser = await Promise.race(ends);
    const text = await new Response(loser.child.stderr).text();
    assert.equal(loser.status.code, 2, text);
    assert.match(text, /Cannot serve: process \d+ already serves this store at http:/);
    const listed = await list();
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    const winner = both.find((child) => child !== loser.child);
    assert.ok(winner);
    winner.kill("SIGTERM");
    assert.equal((await winner.status).code, 0);
    await winner.stderr.cancel();
  });
});

Deno.test("a service that hangs is named, with exit code 4, by commands and by a second service", async () => {
  await withServicePlace(async ({ start, list, configFile }) => {
    const service = await start();
    Deno.kill(service.pid, "SIGSTOP");
    try {
      const serve = runToolgate(["serve", "--config", configFile]);
      for (const { code, stderr } of [await list(), await serve]) {
        assert.equal(code, 4);
        assert.match(stderr, /its process, \d+, holds .*service\.json and does not answer/);
        assert.match(stderr, /kill that process and start the service again/);
      }
    } finally {
      Deno.kill(service.pid, "SIGCONT");
    }
    assert.equal((await list()).code, 0);
    service.child.kill("SIGTERM");
    assert.equal((await service.child.status).code, 0);
  });
});

Deno.test("a command never shows its token to a proxy or to another program on the port of a dead service", async () => {
  await withServicePlace(async ({ start, list, serviceFile }) => {
    const heard: string[] = [];
    const stranger = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        heard.push(
          `${request.url} ${request.headers.get("authorization")} ${await request.text()}`,
        );
        return Response.json({
          status: "ok",
          instance: (await readServiceFile(serviceFile))?.instance,
        });
      },
    );
    const url = `http://127.0.0.1:${stranger.addr.port}`;
    const proxy = { HTTP_PROXY: url, http_proxy: url, ALL_PROXY: url };
    try {
      const service = await start();
      const proxied = await list({ env: { ...proxy, DENO_NO_UPDATE_CHECK: "1" } });
      assert.deepEqual([proxied.code, proxied.stderr, heard], [0, "", []]);
      await killService(service);
      const file = await readServiceFile(serviceFile);
      await Deno.writeTextFile(serviceFile, JSON.stringify({ ...file, url }));
      const listed = await list();
      assert.deepEqual([listed.code, listed.stderr, heard], [0, "", []]);
    } finally {
      await stranger.shutdown();
    }
  });
});

Deno.test("where the configuration's folder is read-only, commands still find a service without a store file", async () => {
  const runtime = await Deno.makeTempDir({ prefix: "toolgate-runtime-" });
  const env = { XDG_RUNTIME_DIR: runtime };
  try {
    await withServicePlace(async ({ folder, configFile }) => {
      const readOnly = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
      const within = ["unshare", "--mount", "sh", "-c", readOnly, folder];
      const { command, options } = toolgateCommand(["serve", "--config", configFile], {
        within,
        env,
      });
      const child = new Deno.Command(command, { ...options, stdout: "piped", stderr: "piped" })
        .spawn();
      const log = new Response(child.stderr).text();
      const reader = child.stdout.getReader();
      try {
        assert.match(new TextDecoder().decode((await reader.read()).value), /Serving/);
        const created = await runToolgate(["run", "-", "--config", configFile], { env });
        assert.equal(created.code, 0, created.stderr);
        // The store is in the service's memory: only the service itself can know of the run.
        const listed = await runToolgate(
          ["audit", "list", "--config", configFile, "--json", "--limit", "100"],
          { env },
        );
        assert.match(listed.stdout, /execution\.start/);
      } finally {
        await reader.cancel();
        child.kill("SIGTERM");
        assert.equal((await child.status).code, 0, await log);
      }
      assert.deepEqual([...Deno.readDirSync(`${runtime}/toolgate`)], []);
    }, { store: "memory:" });
  } finally {
    await Deno.remove(runtime, { recursive: true });
  }
});

async function untilZombie(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const stat = await readProcess(pid, "stat");
    if (/\) Z /.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`Process ${pid} did not become a zombie`);
}

async function untilThere(path: string): Promise<string> {
  for (let attempt = 0; attempt < 1_500; attempt++) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text !== "") return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`"${path}" was not written`);
}
