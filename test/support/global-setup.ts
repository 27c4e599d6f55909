import { ensureEnvoy } from "../../agent/envoy/find-envoy.ts";
import { describe } from "../../agent/lib/errors.ts";
import { setup } from "../../agent/setup/setup.mjs";

/**
 * Runs once before all test files: builds the agent and the filters that tests run, and fetches Envoy. Otherwise, several
 * workers would do so at the same time.
 */
export default async function globalSetup(): Promise<void> {
  await setup();
  // Most tests need no Envoy. Those that do fail for the same reason.
  await ensureEnvoy().catch((error: unknown) => console.warn(describe(error)));
}
