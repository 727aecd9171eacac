import { json } from "./answer.ts";
import { AttackReportSchema, HealthReportSchema } from "./answers/service_answers.ts";
import { route } from "./route.ts";

/** Routes about the service itself. */
export const SERVICE_ROUTES = [
  route("POST /attack", {
    scope: "admin",
    summary: "Hostile programs against the running sandbox",
    answer: json(AttackReportSchema),
    handle: (deps, { principal }) => deps.attack(principal),
  }),
  route("GET /health", {
    scope: "admin",
    summary: "What doctor checks",
    answer: json(HealthReportSchema),
    handle: (deps) => deps.health(),
  }),
] as const;
