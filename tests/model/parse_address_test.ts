import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "../../src/model/parse_address.ts";

Deno.test("parseAddress() reads the bytes of every form of an IPv6 address", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const bytes = parseAddress(text) ?? assert.fail(text);
    const groups = Array.from(
      { length: 8 },
      (_, index) => bytes.slice(2 * index, 2 * index + 2).toHex(),
    );
    const canonical = (address: string) => new URL(`http://[${address}]/`).hostname;
    assert.equal(canonical(groups.join(":")), canonical(text));
    assert.deepEqual(parseAddress(canonical(text)), bytes);
  }));
  assert.deepEqual(parseAddress("::1.2.3.4"), parseAddress("::102:304"));
  assert.deepEqual(parseAddress("[fe80::1%eth0]"), parseAddress("fe80::1"));
});

Deno.test("parseAddress() reads the bytes of an IPv4 address", () => {
  fc.assert(fc.property(fc.ipV4(), (text) => {
    assert.deepEqual([...parseAddress(text) ?? []], text.split(".").map(Number));
  }));
});

Deno.test("parseAddress() takes no name for an address, whatever others make of it", () => {
  for (
    const text of [
      "0x7f.0.0.1",
      "0177.0.0.1",
      "127.1",
      "2130706433",
      "1.2.3.256",
      "1::2::3",
      "12345::",
      "",
      "::g",
      "1.2.3.4.",
      " 1.2.3.4",
    ]
  ) {
    assert.equal(parseAddress(text), null, text);
  }
});
