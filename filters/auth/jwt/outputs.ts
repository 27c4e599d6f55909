import { copyOf, JsonKind, JsonValue, Key, stream_context } from "../../../assembly/index";
import { TokenRule } from "./rule";
import { Token } from "./token";

/** A header that the application gets, made from a token. */
export class OutputHeader {
  constructor(
    readonly header: Key,
    readonly value: ArrayBuffer,
  ) {}

  write(): void {
    stream_context.headers.request.setBytes(this.header, this.value);
  }
}

/** The headers by which a rule passes parts of a verified token to the application. */
export function outputsOf(token: Token, rule: TokenRule): OutputHeader[] {
  const outputs = new Array<OutputHeader>(0);
  const payload = rule.payloadHeader;
  if (payload !== null) outputs.push(new OutputHeader(payload, copyOf(token.payload.start, token.payload.size)));
  for (let i = 0; i < rule.claimHeaders.length; i++) {
    const to = rule.claimHeaders[i];
    const text = textOf(claimAt(token.claims, to.claim));
    if (text !== null) outputs.push(new OutputHeader(to.header, String.UTF8.encode(text)));
  }
  return outputs;
}

/** A claim by its whole name, or by the names of nested claims, divided by dots. */
function claimAt(claims: JsonValue, path: string): JsonValue | null {
  const whole = claims.member(path);
  if (whole !== null) return whole;
  const names = path.split(".");
  let value: JsonValue | null = claims;
  for (let i = 0; i < names.length; i++) {
    if (value === null) return null;
    value = value.member(names[i]);
  }
  return value;
}

/** Texts, whole numbers and booleans, as in Istio. A text that no header can hold counts as none. */
function textOf(value: JsonValue | null): string | null {
  if (value === null) return null;
  if (value.kind == JsonKind.Boolean) return value.text;
  if (value.kind == JsonKind.Number) return isWhole(value.text) ? value.text : null;
  if (value.kind != JsonKind.Text) return null;
  const text = value.text;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code == 0x7f) return null;
  }
  return text;
}

function isWhole(number: string): bool {
  return number.indexOf(".") < 0 && number.indexOf("e") < 0 && number.indexOf("E") < 0;
}
