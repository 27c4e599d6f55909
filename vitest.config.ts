import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import LabsFirst from "./test/support/labs-first.ts";

/** A lab mostly waits: for processes, for Envoy, for timers. So there are more workers than processors; each takes up to 1 GB. */
const WORKERS = Math.min(2 * availableParallelism(), 8);

/** These files hold time limits of a few seconds, so they run after all others, one by one. */
const TIMED = ["test/envoy/supervisor.test.ts", "test/kernel/missing-listener.test.ts"];

/** Long runs under steady load, whole lives of labs, and the lab as a cluster: `npm run e2e`. */
const END_TO_END = [
  ...["cluster", "lifecycle", "services", "side-by-side", "workloads"].map((name) => `test/lab/${name}.test.ts`),
  ...[
    "authority-down",
    "broken",
    "join-leave",
    "lifecycle",
    "on-demand",
    "rotation",
    "server-first",
    "two-identities",
    "waiting-pod",
  ].map((name) => `test/mesh/${name}.test.ts`),
  "test/tenant/tenants-lab.test.ts",
];

export default defineConfig({
  test: {
    globalSetup: "test/support/global-setup.ts",
    // For a machine that is busy with much else: labs that come up in three seconds have been seen to take thirty.
    testTimeout: 240_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    sequence: { sequencer: LabsFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "side by side",
          include: ["test/**/*.test.ts"],
          exclude: [...TIMED, ...END_TO_END],
          maxWorkers: WORKERS,
        },
      },
      {
        extends: true,
        test: { name: "one by one", include: TIMED, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "end to end",
          include: END_TO_END,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
