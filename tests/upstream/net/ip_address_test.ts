import fc from "fast-check";
import assert from "node:assert/strict";
import { classifyAddress, parseAddress } from "../../../src/upstream/net/ip_address.ts";

Deno.test("classifyAddress() knows where addresses lead", () => {
  const expected: readonly (readonly [string, string | null])[] = [
    ["93.184.216.34", "public"],
    ["2606:2800:220:1:248:1893:25c8:1946", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["128.0.0.1", "public"],
    ["[::1]", "loopback"],
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["10.255.255.255", "private"],
    ["11.0.0.0", "public"],
    ["172.15.255.255", "public"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.168.0.1", "private"],
    ["100.64.0.1", "private"],
    ["100.128.0.1", "public"],
    ["100.100.100.200", "metadata"],
    ["169.254.1.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["fd12:3456::1", "private"],
    ["fe80::1%eth0", "link-local"],
    ["febf::1", "link-local"],
    ["0.0.0.0", "reserved"],
    ["::", "reserved"],
    ["224.0.0.1", "reserved"],
    ["255.255.255.255", "reserved"],
    ["ff02::1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["::ffff:5db8:d822", "public"],
    ["::7f00:1", "loopback"],
    ["64:ff9b::10.0.0.1", "private"],
    ["2002:7f00:1::", "loopback"],
    ["2001:0:5db8:d822::1", "reserved"],
    ["example.com", null],
    ["1.2.3", null],
    ["1.2.3.256", null],
    ["1::2::3", null],
    ["12345::", null],
    ["1:2:3:4:5:6:7:8:9", null],
    ["", null],
  ];
  for (const [text, kind] of expected) assert.equal(classifyAddress(text), kind, text);
});

Deno.test("parseAddress() reads what the URL parser writes", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const bytes = parseAddress(text);
    const canonical = new URL(`http://[${text}]/`).hostname;
    assert.deepEqual(parseAddress(canonical), bytes);
  }));
  fc.assert(fc.property(fc.ipV4(), (text) => {
    assert.deepEqual([...parseAddress(text) ?? []], text.split(".").map(Number));
  }));
});
