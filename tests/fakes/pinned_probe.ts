/**
 * Calls servers on loopback by names that do not exist in DNS, to see which address the client
 * connects to. It is a separate process, because the tests may reach 127.0.0.1 only by that name.
 */
import { createOutbound } from "../../src/upstream/net/outbound_fetch.ts";

const authority = await Deno.readTextFile(new URL("./tls/authority.pem", import.meta.url));
const certificate = await Deno.readTextFile(new URL("./tls/certificate.pem", import.meta.url));
const key = await Deno.readTextFile(new URL("./tls/key.pem", import.meta.url));
const place = { hostname: "127.0.0.1", port: 0, onListen() {} };
const hostOf = (request: Request) => new Response(new URL(request.url).hostname);
const plain = Deno.serve(place, hostOf);
const secure = Deno.serve({ ...place, cert: certificate, key }, hostOf);

const names: string[] = [];
const outbound = createOutbound({
  configured: [],
  allowPrivateNetwork: true,
  responseBytesMax: 1_000,
  env: () => ({}),
  caCerts: [authority],
  lookup: (name) => {
    names.push(name);
    return Promise.resolve(["127.0.0.1"]);
  },
});
const urls = [
  `http://pinned.test:${plain.addr.port}/`,
  `https://pinned.test:${secure.addr.port}/`,
  `https://pinned.test:${secure.addr.port}/again`,
  `https://other.test:${secure.addr.port}/`,
];
const answers: string[] = [];
for (const url of urls) {
  answers.push(
    await outbound.fetch(url).then((response) => response.text(), (error) => error.name),
  );
}
await outbound.close();
await plain.shutdown();
await secure.shutdown();
console.log(JSON.stringify({ names, answers }));
