import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files with labs, which take longest. */
const LABS = ["/test/mesh/", "/test/lab/"];

/**
 * Starts the files with labs first: the short ones then fill the workers while the last labs end. Within each of both, longer
 * files come first, as far as an earlier run has measured them.
 */
export default class LabsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project, moduleId }: TestSpecification): number =>
      2 * project.config.sequence.groupOrder + (LABS.some((folder) => moduleId.includes(folder)) ? 0 : 1);
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
