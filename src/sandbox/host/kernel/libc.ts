/** The C library's functions that the kernel layer needs. */
const SYMBOLS = {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  signal: { parameters: ["i32", "u64"], result: "u64" },
  setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
  setpgid: { parameters: ["i32", "i32"], result: "i32" },
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  mmap: { parameters: ["u64", "usize", "i32", "i32", "i32", "i64"], result: "u64" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  syscall: { parameters: ["i64", "u64", "u64", "u64", "u64", "u64", "u64"], result: "i64" },
} as const satisfies Deno.ForeignLibraryInterface;

export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** @throws {Error} if no C library loads (no `ffi` permission, or an unknown platform). */
export function openLibc(arch: string): Libc {
  let problem: unknown;
  for (const name of ["libc.so.6", `libc.musl-${arch}.so.1`]) {
    try {
      return Deno.dlopen(name, SYMBOLS).symbols;
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

/** A path or name as a zero-terminated string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** The address of a buffer; the buffer must stay referenced while it is used. */
export function addressOf(buffer: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}
