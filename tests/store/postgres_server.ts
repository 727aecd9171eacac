/** A PostgreSQL server of our own for tests: on loopback, in a temporary folder. */

export interface PostgresServer {
  /** A fresh, empty database. */
  createDatabase(): Promise<string>;
  /** As `kill -9` of the whole server, then a start. */
  crashAndStart(): Promise<void>;
  stop(): Promise<void>;
}

const VERSIONS = ["18", "17", "16", "15"];

/** @throws {Error} If this machine has no PostgreSQL. */
export async function startPostgres(): Promise<PostgresServer> {
  const binaries = await findBinaries();
  if (binaries === null) {
    throw new Error("PostgreSQL is not installed on this machine: apt-get install postgresql");
  }
  const folder = await Deno.makeTempDir({ prefix: "toolgate-postgres-" });
  // The server refuses to run as root: then everything is done as its own user.
  const isRoot = Deno.uid() === 0;
  if (isRoot) await run(["chown", "postgres", folder]);
  // By its full path: the tests may run with a PATH that has no folder for administrators.
  const as = isRoot ? ["/usr/sbin/runuser", "-u", "postgres", "--"] : [];
  const data = `${folder}/data`;
  const port = freePort();
  await run([
    ...as,
    `${binaries}/initdb`,
    "-D",
    data,
    "-A",
    "trust",
    "-U",
    "postgres",
    "--no-sync",
  ]);
  const settings = [
    "-c listen_addresses=127.0.0.1",
    `-c port=${port}`,
    `-c unix_socket_directories=${folder}`,
    "-c fsync=off", // the server is killed, not the machine
  ].join(" ");
  const control = (...words: string[]) =>
    run([...as, `${binaries}/pg_ctl`, "-D", data, "-w", "-t", "30", ...words]);
  const start = async () => {
    try {
      await control("-o", settings, "-l", `${folder}/log`, "start");
    } catch (error) {
      throw new Error(`${error}\n${await Deno.readTextFile(`${folder}/log`)}`);
    }
  };
  await start();
  const base = `postgres://postgres@127.0.0.1:${port}`;
  let databases = 0;
  return {
    async createDatabase() {
      const name = `test_${databases++}`;
      const psql = [`${binaries}/psql`, "-h", "127.0.0.1", "-p", String(port), "-U", "postgres"];
      await run([...as, ...psql, "-qc", `create database ${name}`]);
      return `${base}/${name}`;
    },
    async crashAndStart() {
      await control("-m", "immediate", "stop");
      await start();
    },
    async stop() {
      await control("-m", "immediate", "stop");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function findBinaries(): Promise<string | null> {
  for (const version of VERSIONS) {
    const folder = `/usr/lib/postgresql/${version}/bin`;
    if (await Deno.stat(`${folder}/initdb`).then(() => true, () => false)) return folder;
  }
  return null;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function run(words: readonly string[]): Promise<void> {
  const [command = "", ...args] = words;
  // Nothing is piped: the server inherits it and would keep the pipe open.
  const child = new Deno.Command(command, {
    args,
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const { success, code } = await child.status;
  if (!success) throw new Error(`Cannot run ${words.join(" ")}: it exits with ${code}`);
}
