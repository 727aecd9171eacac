// Writes requests with swagger-client: a list of {spec, calls} on standard input, for each of them a list
// of requests on standard output.
import { readFileSync } from "node:fs";
import SwaggerClient from "swagger-client";

function write(spec, call) {
  const { url, headers, body, formdata } = SwaggerClient.buildRequest({ spec, ...call });
  // The fields of a multipart form; its body is a stream of them.
  const form = formdata === undefined ? null : [...formdata.entries()];
  return { url, headers, body: form === null ? body ?? null : null, form };
}

const answers = [];
for (const { spec, calls } of JSON.parse(readFileSync(0, "utf8"))) {
  const resolved = await SwaggerClient.resolve({ spec });
  const written = [];
  for (const call of calls) {
    try {
      written.push(write(resolved.spec, call));
    } catch (error) {
      written.push({ error: error.message });
    }
  }
  answers.push(written);
}
process.stdout.write(JSON.stringify(answers));
