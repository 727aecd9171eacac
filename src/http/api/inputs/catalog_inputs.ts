import { z } from "zod";

/** Body of `POST /tools/{name}/approve` and `…/block`. */
export const PinBodySchema = z.strictObject({
  /** `pin` of `GET /tools/{name}/diff`: the definition that the operator has seen. */
  pin: z.string("name the pin of the definition that you looked at").min(1).max(200),
});
