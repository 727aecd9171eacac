import { Hono } from "hono";
import { consoleRoutes } from "./console_routes.tsx";
import {
  type ConsoleServices,
  type ConsoleServicesDeps,
  createConsoleServices,
} from "./console_services.ts";

/** The web console. The first page opens it, because commands without a service never use it. */
export interface Console {
  readonly fetch: (request: Request) => Promise<Response>;
  close(): Promise<void>;
}

export function openConsole(deps: ConsoleServicesDeps): Console {
  let opening: Promise<{ services: ConsoleServices; app: Hono }> | null = null;
  const open = async () => {
    const services = await createConsoleServices(deps);
    return { services, app: new Hono().route("/console", consoleRoutes(services)) };
  };
  return {
    async fetch(request) {
      opening ??= open().catch((error) => {
        opening = null; // the next request tries again
        throw error;
      });
      return await (await opening).app.fetch(request);
    },
    async close() {
      const opened = await opening?.catch(() => null);
      await opened?.services.close();
    },
  };
}
