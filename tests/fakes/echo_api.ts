import { ConfigSchema } from "../../src/config/schema.ts";
import { type OpenedUpstreams, openTestUpstreams } from "./upstream_parts.ts";

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export interface EchoApi extends AsyncDisposable {
  readonly baseUrl: string;
  readonly upstreams: OpenedUpstreams;
  /** The last request. */
  seen(): SeenRequest;
}

type Answer = (request: SeenRequest) => Response | null;

/**
 * An HTTP API on loopback that remembers its requests, and an upstream named `api` that calls it
 * through an OpenAPI document.
 */
export async function startEchoApi(
  document: unknown,
  config: { [key: string]: unknown } = {},
  answer: Answer = () => null,
): Promise<EchoApi> {
  const requests: SeenRequest[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const seen: SeenRequest = {
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    requests.push(seen);
    return answer(seen) ?? Response.json({ ok: true });
  });
  const baseUrl = `http://127.0.0.1:${server.addr.port}`;
  const spec = await Deno.makeTempFile({ prefix: "toolgate-openapi-", suffix: ".json" });
  await Deno.writeTextFile(
    spec,
    typeof document === "string" ? document : JSON.stringify(document),
  );
  const api = ConfigSchema.shape.openapi.parse({ api: { spec, baseUrl, ...config } });
  const upstreams = openTestUpstreams({ openapi: api });
  return {
    baseUrl,
    upstreams,
    seen() {
      const last = requests.at(-1);
      if (last === undefined) throw new Error("Nothing was asked");
      return last;
    },
    async [Symbol.asyncDispose]() {
      await upstreams.close();
      await server.shutdown();
      await Deno.remove(spec);
    },
  };
}

/** An OpenAPI document with one operation. */
export function documentOf(
  path: string,
  method: string,
  operation: { [key: string]: unknown },
  more: { [key: string]: unknown } = {},
) {
  return {
    openapi: "3.0.3",
    info: { title: "Test API", version: "1" },
    paths: { [path]: { [method]: { operationId: "op", responses: {}, ...operation } } },
    ...more,
  };
}
