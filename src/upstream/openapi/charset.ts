import { UnwritableError } from "./write_parameters.ts";

/**
 * Bytes of a text in a charset; null for a charset that toolgate cannot write.
 *
 * @throws {UnwritableError} if a character is not in the charset.
 */
export function encodeText(text: string, charset: string): Uint8Array<ArrayBuffer> | null {
  if (/^utf-?8$/.test(charset)) return new TextEncoder().encode(text);
  if (/^utf-?16(le)?$/.test(charset)) return new Uint8Array(Buffer.from(text, "utf16le"));
  const table = singleByteTable(charset);
  if (table === null) return null;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const byte = table.get(text.charCodeAt(index));
    if (byte === undefined) {
      throw new UnwritableError(
        `"${text[index]}" is not a character of ${charset}, which the API wants its text in`,
      );
    }
    bytes[index] = byte;
  }
  return bytes;
}

function singleByteTable(charset: string): ReadonlyMap<number, number> | null {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { ignoreBOM: true });
  } catch {
    return null;
  }
  const table = new Map<number, number>();
  for (let byte = 0; byte < 256; byte++) {
    const char = decoder.decode(new Uint8Array([byte]));
    if (char.length !== 1) return null;
    if (char !== "\ufffd") table.set(char.charCodeAt(0), byte);
  }
  // In a charset of several bytes a lone lead byte is an error, so the table stays small.
  return table.size > 200 ? table : null;
}

/**
 * The text of an answer: in the charset that its header or its XML declares, else UTF-16 with a
 * byte order mark, else UTF-8, else windows-1252, as browsers do.
 *
 * @see RFC 9110, section 8.3.2
 */
export function decodeText(bytes: Uint8Array, charset: string | null, isXml: boolean): string {
  const declared = charset ?? (isXml ? xmlEncoding(bytes) : null);
  const decoder = declared === null ? null : decoderOf(declared);
  if (decoder !== null) return decoder.decode(bytes);
  const start = bytes.subarray(0, 2).toHex();
  if (start === "fffe") return new TextDecoder("utf-16le").decode(bytes);
  if (start === "feff") return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // An unknown charset does not justify assuming windows-1252.
    return new TextDecoder(declared === null ? "windows-1252" : "utf-8").decode(bytes);
  }
}

function decoderOf(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(charset);
  } catch {
    return null;
  }
}

function xmlEncoding(bytes: Uint8Array): string | null {
  const start = new TextDecoder("windows-1252").decode(bytes.subarray(0, 200));
  return /^<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1]?.toLowerCase() ?? null;
}
