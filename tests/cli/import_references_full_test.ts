/** What a client's file calls a reference must not run or read anything here: with the real command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "./cli_fixture.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

async function toolgate(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", "-A", MAIN, ...args],
    env: { TOOLGATE_CWD: folder, A_TOKEN: "a-token" },
    cwd: folder,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** An upstream that writes down what it was started with, and ends. */
const WRITES_DOWN = `printf '%s\\n' "$@" "$TEXT" > seen; exit 1`;

Deno.test("references in a client's file are text in args, env and headers", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "secret"), "file-content");
    const headers: (string | null)[] = [];
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => {
        headers.push(request.headers.get("x"), request.headers.get("y"), request.headers.get("z"));
        return new Response("no", { status: 500 });
      },
    );
    const nested = "${env:NONE:-${exec:touch PWN2}}";
    await Deno.writeTextFile(
      join(folder, "client.json"),
      JSON.stringify({
        mcpServers: {
          a: {
            command: "sh",
            args: ["-c", WRITES_DOWN, "sh", "${exec:touch PWN1}", "a$${file:secret}b", nested],
            env: { TEXT: "x ${ exec:touch PWN3} ${y ${exec:touch PWN4}} ${exec:touch PWN5" },
          },
          b: {
            url: `http://127.0.0.1:${server.addr.port}/mcp`,
            headers: { X: "${exec:touch PWN6}", Y: "Bearer ${file:secret}", Z: "$${env:A_TOKEN}" },
          },
          c: { url: "http://127.0.0.1:9/${exec:touch PWN7}" },
          d: { command: "./${file:secret}" },
          e: { command: "true", cwd: "${exec:touch PWN8}" },
          "${exec:touch PWN9}": { command: "true", args: ["${/}{exec:touch PWN10}", "$${/}"] },
        },
      }),
    );

    const imported = await toolgate(folder, "import", "client.json");
    assert.equal(imported.code, 0, imported.stderr);
    for (const place of ["a.args[3]", "a.args[4]", "a.env.TEXT", "b.headers.X", "b.headers.Y"]) {
      assert.ok(imported.stderr.includes(`${place}: `), `${place} in ${imported.stderr}`);
    }
    assert.match(imported.stderr, /"c" was left out: its url/);
    assert.match(imported.stderr, /"d" was left out: its command/);
    assert.match(imported.stderr, /"e" was left out: its cwd/);

    // The variable of `nested` is not set, so "a" needs it to start.
    const config = await Deno.readTextFile(join(folder, "toolgate.yaml"));
    await Deno.writeTextFile(
      join(folder, "toolgate.yaml"),
      `${config.replace("${env:NONE}", "${env:A_TOKEN}")}server: { port: 0 }\nstore: "memory:"\n`,
    );
    const doctor = await toolgate(folder, "doctor", "--config", join(folder, "toolgate.yaml"));
    assert.match(doctor.stdout, /secrets/, doctor.stderr);

    const files = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    assert.deepEqual(files.filter((name) => name.includes("PWN")), []);
    assert.equal(
      await Deno.readTextFile(join(folder, "seen")),
      "${exec:touch PWN1}\na$${file:secret}b\na-token\n" +
        "x ${ exec:touch PWN3} ${y ${exec:touch PWN4}} ${exec:touch PWN5\n",
    );
    assert.deepEqual(headers.slice(0, 3), [
      "${exec:touch PWN6}",
      "Bearer ${file:secret}",
      "$a-token",
    ]);
  });
});
