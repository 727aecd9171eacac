import assert from "node:assert/strict";
import { DialError } from "../../src/dial/dial_error.ts";
import { createOutbound, type OutboundOptions } from "../../src/upstream/net/outbound_fetch.ts";

const read = (name: string) => Deno.readTextFile(new URL(`../fakes/tls/${name}`, import.meta.url));
const authority = await read("authority.pem");
const cert = await read("certificate.pem");
const expired = await read("expired.pem");
const key = await read("key.pem");

/** Asks once; gives what the error says and whether the request may have left. */
async function reasonFor(url: string, options: Partial<OutboundOptions> = {}): Promise<string> {
  const outbound = createOutbound({
    configured: [],
    allowPrivateNetwork: true,
    responseBytesMax: 1_000,
    env: () => ({}),
    caCerts: [authority],
    ...options,
  });
  try {
    const response = await outbound.fetch(url, { method: "POST", body: "{}" });
    await response.body?.cancel();
    return `HTTP ${response.status}`;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    assert.ok(!/fetch failed|error sending|os error|\?key=/.test(error.message), error.message);
    return `${error.wasSent ? "sent" : "not sent"}: ${error.message}`;
  } finally {
    await outbound.close();
  }
}

/** A listener that answers every connection with the same bytes. */
function listen(bytes: string, tls?: { cert: string; key: string }) {
  const listener = tls === undefined
    ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
    : Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...tls });
  const work = (async () => {
    for await (const connection of listener) {
      try {
        await connection.read(new Uint8Array(65_536));
        await connection.write(new TextEncoder().encode(bytes));
      } catch {
        // A client that does not trust us has gone already.
      }
      connection.close();
    }
  })().catch(() => {});
  return {
    place: `127.0.0.1:${listener.addr.port}`,
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await work;
    },
  };
}

Deno.test("a server that is not there refuses, over http and https, and nothing was sent", async () => {
  const { place, ...gone } = listen("");
  await gone[Symbol.asyncDispose]();
  for (const scheme of ["http", "https"]) {
    assert.equal(
      await reasonFor(`${scheme}://${place}/mcp?key=1`),
      `not sent: ${place} refuses connections`,
    );
  }
});

Deno.test("a name that does not resolve is named", async () => {
  const lookup = (code: string) => () =>
    Promise.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code }));
  for (const scheme of ["http", "https"]) {
    const url = `${scheme}://gone.example/`;
    assert.equal(
      await reasonFor(url, { lookup: lookup("ENOTFOUND") }),
      "not sent: the name gone.example does not resolve (ENOTFOUND)",
    );
    assert.equal(
      await reasonFor(url, { lookup: lookup("EAI_AGAIN") }),
      "not sent: the resolver gives no answer for the name gone.example (EAI_AGAIN)",
    );
  }
});

Deno.test("what is wrong with a certificate is said", async () => {
  await using good = listen("", { cert, key });
  await using old = listen("", { cert: expired, key });
  assert.equal(
    await reasonFor(`https://${old.place}/`),
    "not sent: the certificate of 127.0.0.1 has expired",
  );
  assert.equal(
    await reasonFor(`https://localhost:${good.port}/`),
    "not sent: the certificate of localhost is for another name",
  );
  assert.equal(
    await reasonFor(`https://${good.place}/`, { caCerts: [] }),
    "not sent: the certificate of 127.0.0.1 is from an authority that this machine does not trust",
  );
});

Deno.test("a server of the other scheme is recognised", async () => {
  await using plain = listen("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
  await using secure = listen("", { cert, key });
  assert.equal(
    await reasonFor(`https://${plain.place}/`),
    `not sent: ${plain.place} does not speak TLS; is it an http: address?`,
  );
  assert.match(await reasonFor(`http://${secure.place}/`), /^sent: 127\.0\.0\.1:\d+ /);
});

Deno.test("a server that breaks off or talks nonsense is named, and the request may have happened", async () => {
  await using silent = listen("");
  await using nonsense = listen("220 ready\r\n");
  assert.equal(
    await reasonFor(`http://${silent.place}/`),
    `sent: ${silent.place} closed the connection without an answer`,
  );
  assert.equal(
    await reasonFor(`http://${nonsense.place}/`),
    `sent: ${nonsense.place} does not answer in HTTP`,
  );
});

Deno.test("a proxy that refuses, is not there or wants a password is named", async () => {
  await using proxy = listen("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  const lookup = () => Promise.resolve(["93.184.216.34"]);
  const through = (place: string, url: string) =>
    reasonFor(url, { lookup, env: () => ({ ALL_PROXY: `http://me:s3cret@${place}` }) });
  assert.equal(
    await through(proxy.place, "https://proxied.test/"),
    `not sent: the proxy ${proxy.place} does not connect to proxied.test:443: ` +
      "HTTP 407 Proxy Authentication Required",
  );
  const { place, ...gone } = listen("");
  await gone[Symbol.asyncDispose]();
  for (const scheme of ["http", "https"]) {
    assert.equal(
      await through(place, `${scheme}://proxied.test/`),
      `not sent: the proxy ${place} refuses connections`,
    );
  }
});
