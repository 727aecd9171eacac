/**
 * What the kernel layer holds by itself, and what each part of it is for: everything above it is taken
 * to be broken (all permissions, no realm, no Worker), then one part after the other is switched off.
 */
import { KERNEL_ON, type KernelSettings } from "../src/sandbox/host_settings.ts";
import { breach } from "../tests/sandbox/fixtures/run_breach.ts";

const CASES: { readonly [name: string]: KernelSettings } = {
  "all parts": KERNEL_ON,
  "without seccomp": { ...KERNEL_ON, seccomp: false },
  "without Landlock": { ...KERNEL_ON, landlock: false },
  "without limits": { ...KERNEL_ON, rlimits: false },
  "seccomp alone": { ...KERNEL_ON, landlock: false, rlimits: false },
  "Landlock alone": { ...KERNEL_ON, seccomp: false, rlimits: false },
  "limits alone": { ...KERNEL_ON, seccomp: false, landlock: false },
  "no part": { ...KERNEL_ON, seccomp: false, landlock: false, rlimits: false },
};

console.log("| kernel layer | what got out |");
console.log("| --- | --- |");
for (const [name, settings] of Object.entries(CASES)) {
  const { got } = await breach(settings);
  console.log(`| ${name} | ${got.length === 0 ? "nothing" : got.join(", ")} |`);
}
