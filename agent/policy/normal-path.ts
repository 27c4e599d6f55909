/** RFC 3986 section 2.3: percent-encoding never changes what these mean. */
const UNRESERVED = /[A-Za-z0-9._~-]/u;

/**
 * The one form in which a path is judged, and in which the application receives it: filters/auth/path.ts. Without its query;
 * undefined for a path that no URI may have, which is answered 400.
 */
export function normalPath(raw: string): string | undefined {
  if (raw.includes("#")) return undefined;
  const [path = ""] = raw.split("?", 1);
  if (raw === "*") return raw;
  const decoded = decode(path);
  return decoded?.startsWith("/") === true ? resolve(decoded) : undefined;
}

function decode(path: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f]|%(?![0-9A-Fa-f]{2})|%00/u.test(path)) return undefined;
  const ascii = path.replaceAll(/[^\p{ASCII}]+/gu, (text) => escaped(text)).replaceAll("\\", "/");
  return ascii.replaceAll(/%([0-9A-Fa-f]{2})/gu, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    if (UNRESERVED.test(character)) return character;
    return character === "\\" ? "/" : escape.toUpperCase();
  });
}

/** Of what no URI may hold the bytes in UTF-8, as browsers have it. */
function escaped(text: string): string {
  return Buffer.from(text).toString("hex").toUpperCase().replaceAll(/../gu, "%$&");
}

/** Dot segments removed (RFC 3986 section 5.2.4), slashes merged. */
function resolve(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const isOpen = ["", ".", ".."].includes(segments.at(-1) ?? "");
  return kept.length === 0 ? "/" : `/${kept.join("/")}${isOpen ? "/" : ""}`;
}
