import { WORKLOAD_LABEL } from "../model/mesh-options.ts";
import { isDnsSubdomain } from "./valid-names.ts";
import type { Reader } from "./reader.ts";

/** Labels of a ReplicaSet's Pods that hold the part of its name that its Deployment (or Argo Rollout) added. */
const HASH_LABELS = ["pod-template-hash", "rollouts-pod-template-hash"];

/** The name of a Pod's workload in metrics: the name of its Deployment, Job or other owner, else the Pod's own. */
export function workloadName(metadata: Reader, podName: string, labels: Readonly<Record<string, string>>): string {
  const said = labels[WORKLOAD_LABEL];
  if (said !== undefined && said !== "") return said;
  const owners = metadata.field("ownerReferences").items();
  const owner = owners.find((entry) => entry.field("controller").boolean() === true) ?? owners[0];
  const name = owner?.field("name").string();
  if (owner === undefined || name === undefined || !isDnsSubdomain(name)) return podName;
  const kind = owner.field("kind").string();
  if (kind === "ReplicaSet") {
    const hash = HASH_LABELS.map((label) => labels[label]).find((value) => value !== undefined && value !== "");
    return hash !== undefined && name.endsWith(`-${hash}`) && name.length > hash.length + 1
      ? name.slice(0, -hash.length - 1)
      : name;
  }
  // A CronJob's Jobs carry the minute they were due at; Istio names the CronJob, too.
  if (kind === "Job") return name.replace(/-\d{8,10}$/, "");
  return name;
}
