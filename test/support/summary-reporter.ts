import type { Reporter, TestModule } from "vitest/node";

/** One plain line at the end, for whoever reads the log by machine: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      // A file that could not even be loaded has no tests that could fail for it.
      const tests = [...module.children.allTests()];
      if (tests.length === 0 && module.state() === "failed") count.failed += 1;
      for (const test of tests) {
        const { state } = test.result();
        count[state === "pending" ? "skipped" : state] += 1;
      }
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
