import assert from "node:assert/strict";
import {
  decideNamedTool,
  decideTool,
  declareVisible,
  diffNamedTool,
  diffTool,
  listCatalog,
  listPins,
  listTools,
  showTool,
} from "../../src/operations/catalog.ts";
import { makePrincipal, makeTool } from "../policy/sample_tools.ts";
import { catalogParts } from "./catalog_parts.ts";
import { ADMIN, BUYER, callerOf } from "./operation_parts.ts";

Deno.test("listTools() lists what the caller may use, with what it may do", async () => {
  const { tools, quarantined } = await listTools(catalogParts(), callerOf(BUYER));
  assert.deepEqual(tools, [
    {
      name: "shop.list",
      server: "shop",
      title: "list",
      description: "Lists.",
      access: "read",
      effect: "allow",
      pin: "1".repeat(64),
    },
    {
      name: "shop.pay",
      server: "shop",
      title: "pay",
      description: "Pays.",
      access: "write",
      effect: "ask",
      pin: "2".repeat(64),
    },
  ]);
  assert.deepEqual(quarantined, []);
});

Deno.test("listTools() keeps to the space, and a space that is closed to the caller is empty", async () => {
  const parts = catalogParts();
  const namesIn = async (space: string, principal = BUYER) =>
    (await listTools(parts, callerOf(principal, space))).tools.map(({ name }) => name);
  assert.deepEqual(await namesIn("till"), ["shop.pay"]);
  assert.deepEqual(await namesIn("till", makePrincipal()), []);
  assert.deepEqual(await namesIn("nowhere"), []);
});

Deno.test("why a server is down is for administrators; others do not hear of servers that they have no tool of", async () => {
  const parts = catalogParts();
  const own = await listTools(parts, callerOf(BUYER));
  assert.deepEqual(own.servers.map(({ server, status, error }) => [server, status, error]), [
    ["shop", "down", null],
  ]);
  assert.equal(JSON.stringify(own).includes("hunter2"), false);
  assert.equal(JSON.stringify(own).includes("vault"), false);
  const all = await listTools(parts, callerOf(ADMIN));
  assert.deepEqual(all.servers, parts.servers());
  assert.deepEqual(all.quarantined.map(({ name }) => name), ["close"]);
});

Deno.test("an administrator's list of tools has the hidden ones only when all are asked for", async () => {
  const parts = catalogParts();
  const effects = async (which: "visible" | "all", principal = ADMIN) => {
    const { tools } = await listCatalog(parts, callerOf(principal), which);
    return tools.map(({ tool, access, effect }) => `${tool.id} ${access} ${effect}`);
  };
  const visible = ["shop.list read allow", "shop.pay write ask"];
  assert.deepEqual(await effects("visible"), visible);
  assert.deepEqual(await effects("all"), [
    ...visible,
    "shop.burn write hidden",
    "vault.open read hidden",
  ]);
  assert.deepEqual(await effects("all", BUYER), visible, "not without scope admin");
});

Deno.test("showTool() knows both spellings and gives the declaration that programs see", async () => {
  const parts = catalogParts([makeTool("shop", "pay-now"), makeTool("shop", "list")]);
  const policy = { ...parts.policy.current(), visibility: () => VISIBLE };
  const view = () => ({ tools: [], visible: () => policy.visibility() });
  for (const name of ["shop.pay-now", "shop.pay_now"]) {
    const shown = await showTool({ ...parts, view }, callerOf(BUYER), name);
    assert.deepEqual([shown.name, shown.access, shown.effect], ["pay-now", "write", "allow"]);
    assert.match(shown.declaration, /pay_now/);
  }
});

const VISIBLE = { access: "write", effect: "allow" } as const;

Deno.test("showTool() answers the same for a hidden tool and for one that does not exist", async () => {
  const answerTo = async (name: string) => {
    try {
      await showTool(catalogParts(), callerOf(BUYER), name);
    } catch (error) {
      return `${error}`.replaceAll(name, "NAME");
    }
  };
  const missing = await answerTo("vault.nothing");
  assert.match(missing ?? "", /Tool "NAME" does not exist/);
  assert.equal(await answerTo("vault.open"), missing);
  const ofShop = await answerTo("shop.bury");
  assert.equal(await answerTo("shop.burn"), ofShop);
});

Deno.test("declareVisible() declares what the caller may use and nothing else", async () => {
  const text = await declareVisible(catalogParts(), callerOf(BUYER));
  assert.match(text, /pay/);
  assert.doesNotMatch(text, /burn|vault/);
});

Deno.test("a decision is about the pin that was shown, and carries who decided", async () => {
  const parts = catalogParts();
  for (const pin of ["", "0".repeat(64)]) {
    const decision = { verb: "approve", server: "vault", name: "close", pin } as const;
    await assert.rejects(decideTool(parts, ADMIN, decision), { code: "ERR_CHANGED" });
  }
  assert.deepEqual(parts.decisions, []);
  const pin = (await diffTool(parts, "vault", "close"))?.pin ?? "";
  await decideTool(parts, ADMIN, { verb: "block", server: "vault", name: "close", pin });
  const [decided] = parts.decisions;
  assert.deepEqual(decided, {
    verb: "block",
    server: "vault",
    name: "close",
    pin,
    actor: { sub: "ada", iss: "test", client: "test", groups: [], scopes: ["admin"] },
  });
  assert.equal(parts.decisions.length, 1);
});

Deno.test("decideNamedTool() decides about a tool by either spelling, also one that waits", async () => {
  const parts = catalogParts([makeTool("my.shop", "pay-now", { pin: "6" })]);
  const { diff, ...named } = await diffNamedTool(parts, "vault.close");
  assert.deepEqual(named, { server: "vault", name: "close" });
  const pin = diff?.pin ?? "";
  assert.deepEqual(
    await decideNamedTool(parts, ADMIN, { verb: "approve", name: "vault.close", pin }),
    { approved: "vault.close", pin },
  );
  const spelled = await diffNamedTool(parts, "my.shop.pay-now");
  assert.deepEqual([spelled.server, spelled.name], ["my.shop", "pay-now"]);
  const ask = { verb: "block", name: "my_shop.pay_now", pin: "" } as const;
  await assert.rejects(decideNamedTool(parts, ADMIN, ask), { code: "ERR_CHANGED" });
  assert.deepEqual(parts.decisions.map(({ name }) => name), ["close"]);
});

Deno.test("listPins() prefers the tool where a prompt has the same name", async () => {
  const tool = makeTool("shop", "list", { pin: "1" });
  const prompt = { ...tool, id: "shop.list_prompt", kind: "prompt" as const, pin: "2" };
  const other = makeTool("vault", "open", { pin: "4" });
  assert.deepEqual(await listPins(catalogParts([tool, prompt, other])), {
    shop: { list: "1" },
    vault: { open: "4" },
  });
});
