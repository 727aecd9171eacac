import assert from "node:assert/strict";
import { createPatientWriter } from "../../src/cli/patient_writer.ts";

const LINE = `${"x".repeat(1_023)}\n`;

Deno.test("createPatientWriter() keeps up to a megabyte for a slow reader, drops the rest and says how much", async () => {
  let written = "";
  const reads = Promise.withResolvers<void>();
  const writer = createPatientWriter({
    async write(bytes) {
      await reads.promise;
      written += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    sleep: () => new Promise(() => {}),
  });
  writer.write("first\n");
  for (let line = 0; line < 1_024; line++) writer.write(LINE);
  for (let line = 0; line < 7; line++) writer.write("beyond\n".repeat(1_000));
  reads.resolve();
  await writer.flush();
  const lines = written.split("\n");
  assert.equal(lines[0], "first");
  assert.equal(lines.filter((line) => `${line}\n` === LINE).length, 1_024);
  assert.deepEqual(lines.slice(-2), ["7 lines of this log were not written: nobody took them", ""]);
});

Deno.test("createPatientWriter() tries a full disk again and gives up on a reader that is gone", async () => {
  const written: string[] = [];
  let failure: Error | null = new Error("No space left on device (os error 28)");
  let sleeps = 0;
  const writer = createPatientWriter({
    write(bytes) {
      if (failure !== null) return Promise.reject(failure);
      written.push(new TextDecoder().decode(bytes));
      return Promise.resolve(bytes.length);
    },
    sleep() {
      if (++sleeps === 3) failure = null;
      return Promise.resolve();
    },
  });
  writer.write("kept\n");
  await settled();
  assert.deepEqual([written, sleeps], [["kept\n"], 3]);
  failure = new Deno.errors.BrokenPipe();
  writer.write("lost\n");
  await settled();
  failure = null;
  writer.write("never\n");
  await settled();
  assert.deepEqual(written, ["kept\n"]);
});

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}
