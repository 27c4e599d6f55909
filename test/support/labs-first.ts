import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files with labs, and others that take longest. */
const LONG = [
  "/test/mesh/",
  "/test/lab/",
  "/test/attacks/",
  "/test/tenant/",
  "/test/identity/lab-",
  "/test/cli/command-line",
];

/**
 * Starts the long files first: the short ones then fill the workers while the last labs end. Within each of both, longer files
 * come first, as far as an earlier run has measured them.
 */
export default class LabsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification): number =>
      2 * project.config.sequence.groupOrder + (LONG.some((folder) => moduleId.includes(folder)) ? 0 : 1);
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
