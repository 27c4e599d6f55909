import { quote, type Reader } from "./reader.ts";

const REMEDY = "Let {*} stand for a whole segment, and {**} for one or more, last of all such; without any other *.";

/** A path with `{*}` (one segment) or `{**}` (anything), as Istio allows them: `/a/{*}/b`, `/a/{**}`, `/a/{**}/b`. */
export function readPathTemplate(field: Reader): string | undefined {
  const template = field.string();
  if (template === undefined) return undefined;
  const segments = template.split("/").slice(1);
  const wild = segments.filter((segment) => segment === "{*}" || segment === "{**}");
  const plain = segments.filter((segment) => segment !== "{*}" && segment !== "{**}");
  // RFC 3986 pchar, without the * that Envoy's templates give a meaning.
  const understood =
    template.startsWith("/") &&
    wild.length > 0 &&
    !wild.slice(0, -1).includes("{**}") &&
    plain.every((segment) => /^[A-Za-z0-9._~%!$&'()+,;:@=\u0080-\u{10ffff}-]*$/u.test(segment));
  if (understood) return template;
  return field.invalid("unsupported-pattern", `${quote(template)} is no path template`, REMEDY);
}
