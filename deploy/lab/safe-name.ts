/** Letters that spell no words, as Kubernetes has it. */
const SAFE = "bcdfghjklmnpqrstvwxz2456789";

/** `length` letters made of a hexadecimal text (two digits each). */
export function safeName(hex: string, length: number): string {
  const bytes = Buffer.from(hex, "hex").subarray(0, length);
  return [...bytes].map((byte) => SAFE[byte % SAFE.length] ?? "x").join("");
}
