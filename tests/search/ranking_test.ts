import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { toolOf } from "../catalog/tool_fixture.ts";
import { find, indexOf, TOOLS } from "./search_fixture.ts";

const INDEX = indexOf(TOOLS);

const FIRST: readonly (readonly [query: string, name: string])[] = [
  ["read a file", "files.read_text_file"],
  ["create a dns record", "dns.create_dns_record"],
  ["remove dns record", "dns.delete_dns_record"],
  ["show all dns records", "dns.list_dns_records"],
  ["open an issue", "github.createIssue"],
  ["browse the issues of a repository", "github.listIssues"],
  ["eviction of pods", "kube.createEviction"],
  ["天气", "weather.查询天气"],
  ["R2 bucket object", "r2.r2_get_object"],
  ["zone_id content", "dns.create_dns_record"],
  ["rename files", "files.move_file"],
];

for (const [query, name] of FIRST) {
  Deno.test(`"${query}" finds ${name} first`, async () => {
    strictEqual((await find(INDEX, query))[0], name);
  });
}

Deno.test("the exact name of a tool finds it first, in every spelling", async () => {
  for (const tool of TOOLS) {
    const words = tool.name.replaceAll(/[_-]/g, " ");
    for (const query of [tool.id, `${tool.server}.${tool.name}`]) {
      strictEqual((await find(INDEX, query))[0], tool.id, query);
    }
    for (const query of [tool.name, words, words.replaceAll(" ", ""), tool.name.toUpperCase()]) {
      const [first] = await find(INDEX, query);
      const same = TOOLS.filter((other) => other.name.toLowerCase() === tool.name.toLowerCase());
      ok(same.some(({ id }) => id === first), `${query} found ${first}`);
    }
  }
});

Deno.test("a spelling decides between names that differ in it alone", async () => {
  const index = indexOf([toolOf("a", "getUser"), toolOf("b", "get_user"), toolOf("c", "get-user")]);
  strictEqual((await find(index, "get_user"))[0], "b.get_user");
  strictEqual((await find(index, "get-user"))[0], "c.get_user");
  strictEqual((await find(index, "getUser"))[0], "a.getUser");
});

Deno.test("a misspelt word is corrected", async () => {
  for (const query of ["reccord dns", "dsn recrods delete", "delet dns recod"]) {
    ok((await find(INDEX, query))[0]?.startsWith("dns."), query);
  }
  strictEqual((await find(INDEX, "calender evnt create"))[0], "calendar.create_event");
});

Deno.test("a word that a tool has is never corrected away", async () => {
  const index = indexOf([
    toolOf("a", "trim_images", { description: "Trims." }),
    toolOf("b", "trip_images", { description: "Trips." }),
  ]);
  strictEqual((await find(index, "trim"))[0], "a.trim_images");
  strictEqual((await find(index, "trip"))[0], "b.trip_images");
});

Deno.test("words are found with a missing space, and with one too many", async () => {
  strictEqual((await find(INDEX, "dnsrecord"))[0]?.endsWith("_record"), true);
  const index = indexOf([toolOf("a", "set_timezone"), toolOf("a", "set_color")]);
  strictEqual((await find(index, "time zone"))[0], "a.set_timezone");
});

Deno.test("each request of a long query finds its own tool", async () => {
  const names = await find(
    INDEX,
    "Read the text file with the notes. Then send an e-mail to the team. " +
      "Also create an event in the calendar for tomorrow.",
  );
  const first = names.slice(0, 4);
  for (const name of ["files.read_text_file", "mail.send", "calendar.create_event"]) {
    ok(first.includes(name), `${name} is not in ${first.join(", ")}`);
  }
});

Deno.test("an operator's own words find a tool", async () => {
  const index = indexOf([
    toolOf("cloud", "droplets_create", { aliases: ["virtual machine", "VM"] }),
    toolOf("cloud", "volumes_create"),
  ]);
  deepStrictEqual(await find(index, "launch a vm"), ["cloud.droplets_create"]);
});

Deno.test("a search of one server finds nothing of others", async () => {
  const { hits } = await INDEX.search({ query: "list", server: "dns" }, () => ({
    access: "read",
    effect: "allow",
  }));
  deepStrictEqual(hits.map(({ server }) => server), ["dns"]);
});
