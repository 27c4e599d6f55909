/** Codes that applications really send: IANA's registry, and those of common servers and proxies. */
const KNOWN: i32[] = [
  0, 100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
  400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 419, 420, 421, 422,
  423, 424, 425, 426, 428, 429, 430, 431, 440, 444, 449, 450, 451, 460, 463, 494, 495, 496, 497, 498, 499, 500, 501,
  502, 503, 504, 505, 506, 507, 508, 509, 510, 511, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 561, 598, 599,
];
/** 1001 to 1005 stand for the classes 1xx to 5xx, and 1000 for all else. */
const OTHER: i64 = 1000;

const isKnown = new StaticArray<bool>(600);
for (let i = 0; i < KNOWN.length; i++) isKnown[KNOWN[i]] = true;

/** A server chooses its codes, and each one would be a series of its own. So those that nobody uses are grouped by class. */
export function countedCode(code: i64): i64 {
  return code >= 0 && code < 600 && isKnown[<i32>code] ? code : classOf(code);
}

export function classOf(code: i64): i64 {
  if (code >= OTHER) return code;
  return code >= 100 && code < 600 ? OTHER + code / 100 : OTHER;
}

/** "5xx" matches the queries `5..` and `5.*` that dashboards have. */
export function codeText(code: i64): string {
  if (code < OTHER) return code.toString();
  return code == OTHER ? "other" : (code - OTHER).toString() + "xx";
}
