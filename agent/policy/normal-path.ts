/** RFC 3986 section 2.3: these characters mean the same with and without percent-encoding. */
const UNRESERVED = /[A-Za-z0-9._~-]/u;

/**
 * The normal form of a path, without its query. Policies decide by it and the application receives it, as in
 * filters/auth/path.ts. undefined for a path that no URI may have: such a request gets status 400.
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

/** Percent-encodes the bytes in UTF-8, as browsers do. */
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
