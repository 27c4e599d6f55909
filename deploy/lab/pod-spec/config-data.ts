import type { RawObject } from "../../../agent/objects/raw-object.ts";
import type { Reader } from "../../../agent/objects/reader.ts";

export type ConfigKind = "ConfigMap" | "Secret";

/** The contents of a ConfigMap or a Secret, by key. */
export type ConfigData = ReadonlyMap<string, Buffer>;

/** Finds a ConfigMap or Secret in the pod's namespace. */
export type ConfigLookup = (kind: ConfigKind, name: string) => ConfigData | undefined;

export interface ConfigObject {
  readonly kind: ConfigKind;
  readonly namespace: string;
  readonly name: string;
  readonly data: ConfigData;
}

/** core/v1: `data` is text and `binaryData` base64. */
export function readConfigMap(root: Reader, object: RawObject): ConfigObject {
  const data = [...readText(root.field("data")), ...readBase64(root.field("binaryData"))];
  return { kind: "ConfigMap", namespace: object.namespace, name: object.name, data: new Map(data) };
}

/** core/v1: `data` is base64; `stringData` is text and overrides it. */
export function readSecret(root: Reader, object: RawObject): ConfigObject {
  const data = [...readBase64(root.field("data")), ...readText(root.field("stringData"))];
  return { kind: "Secret", namespace: object.namespace, name: object.name, data: new Map(data) };
}

type Entries = readonly (readonly [string, Buffer])[];

function readText(map: Reader): Entries {
  return map.entries().flatMap(([key, value]) => {
    const text = value.raw === null ? "" : value.string();
    return isKey(key, value) && text !== undefined ? [[key, Buffer.from(text)] as const] : [];
  });
}

function readBase64(map: Reader): Entries {
  return map.entries().flatMap(([key, value]) => {
    const bytes = value.raw === null ? Buffer.alloc(0) : value.parsed(decode, "base64", "Encode it: base64 -w0.");
    return isKey(key, value) && bytes !== undefined ? [[key, bytes] as const] : [];
  });
}

function decode(text: string): Buffer | undefined {
  const compact = text.replaceAll(/\s/g, "");
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)
    ? Buffer.from(compact, "base64")
    : undefined;
}

/** Reports a key that cannot be the name of a file. */
function isKey(key: string, value: Reader): boolean {
  if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== "." && !key.startsWith("..")) return true;
  value.invalid("invalid-name", `'${key}' cannot be a key`, "Use letters, digits, hyphens, dots and underscores.");
  return false;
}
