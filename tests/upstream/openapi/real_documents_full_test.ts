import assert from "node:assert/strict";
import { resolve } from "node:path";
import { ConfigSchema } from "../../../src/config/schema.ts";
import { callOf, openTestUpstreams } from "../../fakes/upstream_parts.ts";

const DATA = Deno.env.get("TOOLGATE_DATA") ??
  resolve(import.meta.dirname ?? ".", "../../../../shared/data");
const CLOUDFLARE = resolve(DATA, "openapi/cloudflare-2024-08-07.json.gz");

interface Definition {
  readonly name: string;
  readonly inputSchema: Schema;
  readonly _meta: { readonly "toolgate/http": { readonly method: string; readonly path: string } };
}

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly $defs?: { readonly [name: string]: Schema };
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** A value for a required argument: enough to be written, not to be accepted. */
function sample(root: Schema, schema: Schema | undefined, depth = 0): unknown {
  if (schema === undefined || depth > 8) return "x";
  if (schema.$ref !== undefined) {
    return sample(root, root.$defs?.[schema.$ref.split("/").at(-1) ?? ""], depth + 1);
  }
  switch (schema.type) {
    case "integer":
    case "number":
      return 7;
    case "boolean":
      return true;
    case "array":
      return [];
    case "object":
      return {};
  }
  if (schema.properties !== undefined) return {};
  const [part] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  return part === undefined ? "a/b c" : sample(root, part, depth + 1);
}

Deno.test("every operation of Cloudflare's API is listed and called at its own place", async () => {
  const isThere = await Deno.stat(CLOUDFLARE).then(() => true, () => false);
  if (!isThere) {
    console.log(`Not tested: there is no ${CLOUDFLARE}`);
    return;
  }
  let seen = { method: "", path: "" };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    await request.body?.cancel();
    seen = { method: request.method, path: new URL(request.url).pathname };
    return Response.json({ success: true });
  });
  {
    const baseUrl = `http://127.0.0.1:${server.addr.port}/client/v4`;
    const openapi = ConfigSchema.shape.openapi.parse({ cf: { spec: CLOUDFLARE, baseUrl } });
    await using upstreams = openTestUpstreams({ openapi });
    const startedAt = performance.now();
    const listing = await upstreams.list("cf");
    const seconds = (performance.now() - startedAt) / 1_000;
    assert.ok(seconds < 15, `${seconds} s`);
    assert.ok(listing.tools.length > 1_500, `${listing.tools.length} tools`);
    assert.ok(listing.skipped.length < 5, JSON.stringify(listing.skipped));
    for (const tool of listing.tools as readonly Definition[]) {
      const { method, path } = tool._meta["toolgate/http"];
      const args = Object.fromEntries(
        (tool.inputSchema.required ?? []).map((name) => [
          name,
          sample(tool.inputSchema, tool.inputSchema.properties?.[name]),
        ]),
      );
      await upstreams.call(callOf("cf", tool.name, args));
      assert.equal(seen.method, method, tool.name);
      const template = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]*\}/g, "[^/]+");
      assert.match(seen.path, new RegExp(`^/client/v4${template}$`), tool.name);
    }
  }
  await server.shutdown();
});
