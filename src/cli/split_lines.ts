/** Every record is shorter, so a longer line ends the stream with an error. */
const LINE_CHARACTERS_MAX = 1_048_576;

/** The lines of a text stream, without empty ones. */
export async function* splitLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARACTERS_MAX) throw new Error("Cannot read the stream: line too long");
    yield* lines.filter((line) => line !== "");
  }
  if (rest !== "") yield rest;
}
