import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { assignNames, isIdentifier, toIdentifier } from "../../src/catalog/names.ts";
import { anyCharacter } from "../fakes/any_character.ts";

Deno.test("toIdentifier() keeps a spelling that is valid", () => {
  for (const name of ["list", "readTextFile", "$raw", "_x", "résumé", "查询天气", "a1"]) {
    strictEqual(toIdentifier(name), name);
  }
});

Deno.test("toIdentifier() writes other characters, digits in front and reserved words with _", () => {
  strictEqual(toIdentifier("get-user"), "get_user");
  strictEqual(toIdentifier("issues/list.all"), "issues_list_all");
  strictEqual(toIdentifier("2fa"), "_2fa");
  strictEqual(toIdentifier("delete"), "delete_");
  strictEqual(toIdentifier("__proto__"), "__proto___");
  strictEqual(toIdentifier("then"), "then_");
  strictEqual(toIdentifier("toJSON"), "toJSON_");
  strictEqual(toIdentifier("$search"), "$search_");
  strictEqual(toIdentifier("🚀"), "_");
});

Deno.test("toIdentifier() makes an identifier of every text, and leaves its own results as they are", () => {
  fc.assert(fc.property(fc.string({ unit: anyCharacter, minLength: 1 }), (name) => {
    const identifier = toIdentifier(name);
    strictEqual(isIdentifier(identifier), true, identifier);
    strictEqual(toIdentifier(identifier), identifier);
  }));
});

Deno.test("assignNames() sets the second of two colliding names aside", () => {
  const wanted = new Map([["get.user", "get_user"], ["get-user", "get_user"], ["list", "list"]]);
  const { identifiers, collisions } = assignNames(wanted);
  deepStrictEqual([...identifiers], [["get-user", "get_user"], ["list", "list"]]);
  deepStrictEqual([...collisions], [["get.user", "get-user"]]);
});

Deno.test("assignNames() prefers the name that is spelled like its identifier", () => {
  const wanted = new Map([["get-user", "get_user"], ["get_user", "get_user"]]);
  deepStrictEqual([...assignNames(wanted).collisions], [["get-user", "get_user"]]);
});

Deno.test("assignNames() lets a holder keep its name when another is added", () => {
  const wanted = new Map([["get-user", "get_user"], ["get_user", "get_user"]]);
  const { identifiers } = assignNames(wanted, new Map([["get_user", "get-user"]]));
  deepStrictEqual([...identifiers], [["get-user", "get_user"]]);
});

Deno.test("assignNames() gives every name an identifier of its own or a collision", () => {
  const names = fc.uniqueArray(fc.string({ maxLength: 4 }), { maxLength: 30 });
  fc.assert(fc.property(names, (list) => {
    const wanted = new Map(list.map((name) => [name, toIdentifier(name)]));
    const { identifiers, collisions } = assignNames(wanted);
    strictEqual(identifiers.size + collisions.size, list.length);
    strictEqual(new Set(identifiers.values()).size, identifiers.size);
  }));
});
