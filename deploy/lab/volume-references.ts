import { didYouMean } from "../../agent/objects/did-you-mean.ts";
import { quote, type Reader } from "../../agent/objects/reader.ts";
import { isMade } from "./volume-spec.ts";

/**
 * Reports the mounts of one container for which there is no volume. `volumes`: those of the pod; `claims`: names of the
 * claims that its controller adds to them.
 */
export function reportMounts(container: Reader, volumes: readonly Reader[], claims: readonly string[]): void {
  const names = volumes.map((volume) => volume.field("name").raw);
  const made = [...claims, ...volumes.flatMap((volume) => (isMade(volume) ? [volume.field("name").raw] : []))];
  for (const mount of container.field("volumeMounts").items()) {
    const name = mount.field("name");
    if (typeof name.raw !== "string" || made.includes(name.raw)) continue;
    if (names.includes(name.raw)) {
      name.warning({
        code: "lab-unsupported-field",
        reason: `the lab does not make the volume ${quote(name.raw)}: the container waits for it`,
        remedy: "Make it an emptyDir, a configMap or a secret, or take the mount out.",
      });
    } else {
      const known = [...new Set([...names, ...claims])].filter((each) => typeof each === "string");
      const guess = didYouMean(name.raw, known);
      const remedy = guess === undefined ? "Add it to the pod's volumes." : `Did you mean ${quote(guess)}?`;
      name.invalid("volume-not-found", `the pod has no volume ${quote(name.raw)}`, remedy);
    }
  }
}
