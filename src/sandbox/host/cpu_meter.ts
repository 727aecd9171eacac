/** CPU time of this process in microseconds; Deno's type declarations lack the function. */
const { cpuUsage } = Deno as typeof Deno & {
  cpuUsage(): { readonly user: number; readonly system: number };
};

/** The CPU time of this process since a chosen start. */
export interface CpuMeter {
  usedMicros(): number;
  /** Counts from now. */
  restart(): void;
  /** Counts from the start of the process. */
  reset(): void;
}

export function createCpuMeter(): CpuMeter {
  let startMicros = 0;
  const totalMicros = () => {
    const { user, system } = cpuUsage();
    return user + system;
  };
  return {
    usedMicros: () => totalMicros() - startMicros,
    restart() {
      startMicros = totalMicros();
    },
    reset() {
      startMicros = 0;
    },
  };
}
