import { labStatus, setEnrollment } from "../../deploy/lab/control/client.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { describeTarget, type EnrollmentTarget } from "./enrollment-target.ts";

/** Changes a running lab, waits until its nodes have followed, and says what came of it. */
export async function enrollInLab(name: string | undefined, target: EnrollmentTarget, on: boolean): Promise<void> {
  const lab = chooseLab(name).name;
  const { namespace, pod } = target;
  await setEnrollment(lab, pod === undefined ? namespace : `${namespace}/${pod}`, on);
  const { pods } = await labStatus(lab);
  const concerned = pods.filter((each) => each.namespace === namespace && (pod === undefined || each.name === pod));
  const inMesh = concerned.filter((each) => each.enrolled).length;
  process.stdout.write(
    `${describeTarget(target)} ${on ? "joined" : "left"}: ` +
      `${inMesh} of ${concerned.length} ${concerned.length === 1 ? "pod is" : "pods are"} in the mesh\n`,
  );
}
