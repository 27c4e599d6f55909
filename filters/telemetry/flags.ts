// Envoy's ResponseFlag bits (envoy/stream_info/stream_info.h, CoreResponseFlag), by the short names of its access log.
const FLAG_NAMES = [
  "LH",
  "UH",
  "UT",
  "LR",
  "UR",
  "UF",
  "UC",
  "UO",
  "NR",
  "DI",
  "FI",
  "RL",
  "UAEX",
  "RLSE",
  "DC",
  "URX",
  "SI",
  "IH",
  "DPE",
  "UMSDR",
  "RFCF",
  "NFCF",
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
  "DO",
  "DR",
];

/** Stands for any flags. */
export const OTHER_FLAGS: i64 = 1 << 29;

export function flagsText(flags: i64): string {
  if (flags == OTHER_FLAGS) return "other";
  if (flags == 0) return "-";
  let text = "";
  for (let bit = 0; bit < FLAG_NAMES.length; bit++) {
    if (((flags >> bit) & 1) != 0) text += (text.length > 0 ? "," : "") + FLAG_NAMES[bit];
  }
  return text.length == 0 ? "-" : text;
}
