import { AmbitError } from "../../agent/lib/errors.ts";
import { readSupervisor } from "./claim.ts";
import { requestDown } from "./client.ts";
import { labPaths } from "./lab-paths.ts";
import { poll } from "./poll.ts";
import { isAlive } from "../../agent/lib/process-identity.ts";
import { removeLab } from "./teardown.ts";

const POLITE_MS = 20_000;
const EXIT_MS = 3_000;

/**
 * Takes a lab down and removes all of it, also where its supervisor hangs or was killed.
 * Throws AmbitError `lab-not-found` where there is none of that name.
 */
export async function takeDown(name: string): Promise<void> {
  const paths = labPaths(name);
  const supervisor = readSupervisor(paths);
  if (supervisor === undefined) {
    throw new AmbitError({
      code: "lab-not-found",
      kind: "user",
      what: `there is no lab named '${name}'`,
      why: `nothing is at ${paths.root}`,
      remedy: "see 'ambit lab list'; a lab that was started with another AMBIT_STATE_DIR is taken down with the same",
    });
  }
  let patience: NodeJS.Timeout | undefined;
  const waited = new Promise<void>((resolve) => (patience = setTimeout(resolve, POLITE_MS)));
  // Not answering means that it is gone or hangs: either way the rest is done without it.
  await Promise.race([requestDown(paths).catch(() => undefined), waited]);
  clearTimeout(patience);
  const alive = (): Promise<boolean> => Promise.resolve(isAlive(supervisor));
  if (await poll(EXIT_MS, 20, alive, (yes) => !yes)) {
    process.kill(supervisor.pid, "SIGKILL");
    await poll(EXIT_MS, 20, alive, (yes) => !yes);
  }
  await removeLab(paths);
}
