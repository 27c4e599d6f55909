import { JsonKind, JsonLimits, JsonValue, parseJson } from "../../../assembly/index";

/** A client may send these bytes without a signature, so refusing them must cost little. */
const LIMITS = new JsonLimits();
LIMITS.depth = 16;
LIMITS.values = 2048;
LIMITS.names = 256;
LIMITS.allowsOddText = false;
/** All claims' paths, with the names of the claims around them, may be so many times as long as the text. */
const MAX_PATHS: usize = 8;

/** null if the text is no JSON object. */
export function readJsonObject(bytes: ArrayBuffer): JsonValue | null {
  LIMITS.paths = 4096 + MAX_PATHS * bytes.byteLength;
  const value = parseJson(changetype<usize>(bytes), bytes.byteLength, LIMITS).value;
  return value !== null && value.kind == JsonKind.Object ? value : null;
}
