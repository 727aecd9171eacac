/**
 * The server's side of SOCKS5 with a password, only the parts that Deno's client uses.
 *
 * @see RFC 1928 (SOCKS5), RFC 1929 (user name and password)
 */
const VERSION = 5;
const BY_PASSWORD = 2;
const NO_METHOD = 255;
const CONNECT = 1;
const HOST_UNREACHABLE = 4;

/**
 * Reads the target that a client asks for.
 *
 * @param isKnown tells whether a password is one of ours.
 * @returns `host:port` and the password; null for a refused client.
 */
export async function readSocksRequest(
  connection: Deno.Conn,
  isKnown: (secret: string) => boolean,
): Promise<{ readonly authority: string; readonly secret: string } | null> {
  const [version, methodCount = 0] = await readBytes(connection, 2);
  if (version !== VERSION) return null;
  const methods = await readBytes(connection, methodCount);
  if (!methods.includes(BY_PASSWORD)) {
    await writeBytes(connection, [VERSION, NO_METHOD]);
    return null;
  }
  await writeBytes(connection, [VERSION, BY_PASSWORD]);
  await readBytes(connection, 1);
  await readText(connection); // the user name is unused
  const secret = await readText(connection);
  if (!isKnown(secret)) {
    await writeBytes(connection, [1, 1]);
    return null;
  }
  await writeBytes(connection, [1, 0]);
  const [, command, , kind] = await readBytes(connection, 4);
  const host = command === CONNECT ? await readHost(connection, kind) : null;
  if (host === null) {
    await answerSocks(connection, false);
    return null;
  }
  const [high = 0, low = 0] = await readBytes(connection, 2);
  return { authority: `${host}:${high * 256 + low}`, secret };
}

/** Tells the client whether the target is connected. */
export async function answerSocks(connection: Deno.Conn, isConnected: boolean): Promise<void> {
  const code = isConnected ? 0 : HOST_UNREACHABLE;
  await writeBytes(connection, [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** Writes all of the bytes. */
export async function writeBytes(
  connection: Deno.Conn,
  values: readonly number[] | Uint8Array,
): Promise<void> {
  const bytes = Uint8Array.from(values);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function readHost(connection: Deno.Conn, kind: number | undefined): Promise<string | null> {
  if (kind === 1) return (await readBytes(connection, 4)).join(".");
  if (kind === 3) return await readText(connection);
  if (kind !== 4) return null;
  const hex = (await readBytes(connection, 16)).toHex();
  return `[${hex.match(/.{4}/g)?.join(":")}]`;
}

/** Reads a text that follows its length. */
async function readText(connection: Deno.Conn): Promise<string> {
  const [length = 0] = await readBytes(connection, 1);
  return new TextDecoder().decode(await readBytes(connection, length));
}

async function readBytes(connection: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await connection.read(bytes.subarray(at));
    if (read === null) throw new Error("The connection ended within the handshake");
    at += read;
  }
  return bytes;
}
