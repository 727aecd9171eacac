import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { analyze, createAnalyzer, joinName, splitWords, stem } from "../../src/search/analyze.ts";
import { anyCharacter } from "../fakes/any_character.ts";

Deno.test("splitWords() splits names in every usual spelling", () => {
  const words = ["create", "dns", "record"];
  for (
    const name of ["create_dns_record", "createDnsRecord", "create-DNS-record", "createDNSRecord"]
  ) {
    deepStrictEqual(splitWords(name), words);
  }
});

Deno.test("splitWords() keeps words with digits whole and folds accents", () => {
  deepStrictEqual(splitWords("r2 k8s d1_query v2"), ["r2", "k8s", "d1", "query", "v2"]);
  deepStrictEqual(splitWords("Café RÉSUMÉ ﬁle"), ["cafe", "resume", "file"]);
});

Deno.test("splitWords() makes pairs of Chinese, Japanese and Korean characters", () => {
  deepStrictEqual(splitWords("查询天气 api"), ["查询", "询天", "天气", "api"]);
  deepStrictEqual(splitWords("天"), ["天"]);
});

Deno.test("stem() joins the forms of a word", () => {
  const groups = [
    ["record", "records"],
    ["list", "lists", "listing", "listed"],
    ["query", "queries"],
    ["create", "creates", "creating", "created", "creation"],
    ["evict", "eviction", "evicted"],
    ["verify", "verification", "verifies"],
    ["calculate", "calculation", "calculator"],
    ["box", "boxes"],
  ];
  for (const group of groups) strictEqual(new Set(group.map(stem)).size, 1, group.join());
});

Deno.test("stem() keeps different words apart", () => {
  const words = ["status", "state", "station", "user", "use", "image", "imagine", "date", "data"];
  strictEqual(new Set(words.map(stem)).size, words.length);
});

Deno.test("analyze() leaves out what only says that somebody asks", () => {
  deepStrictEqual(analyze("Please, could you help me: I'm looking for the DNS records"), [
    "dns",
    "record",
  ]);
});

Deno.test("analyze() treats a tool's text and a query alike, whatever it is", () => {
  fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => {
    deepStrictEqual(analyze(text), analyze(text));
    for (const term of analyze(text)) ok(term !== "" && !/\s/.test(term));
  }));
});

Deno.test("analyze() is bounded for long words and long texts", () => {
  deepStrictEqual(analyze("a".repeat(1_000_000)), ["a".repeat(64)]);
  strictEqual(analyze("word ".repeat(100_000)).length, 4_000);
  strictEqual(analyze("天".repeat(1_000_000)).length, 19_999);
});

Deno.test("splitWords() splits ASCII text as it splits any other", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."abzABZ019_-.'’ sStTdDvVeE/"),
    maxLength: 40,
  });
  fc.assert(
    fc.property(text, (sample) => {
      // A letter beyond ASCII takes the other way.
      deepStrictEqual(splitWords(sample.replaceAll("’", "'")), splitWords(`é ${sample}`).slice(1));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("createAnalyzer() makes the same terms as analyze()", () => {
  const analyzer = createAnalyzer();
  fc.assert(fc.property(fc.lorem({ maxCount: 30 }), (text) => {
    deepStrictEqual(analyzer(text), analyze(text));
  }));
});

Deno.test("joinName() makes one word of a name", () => {
  strictEqual(joinName("my-server.Get_User"), "myservergetuser");
});
