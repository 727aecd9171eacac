import { z } from "zod";

/** An address that can be called; other schemes (`file:`, `data:`) cannot. */
export const HttpUrlSchema = z.url({ protocol: /^https?$/ });
