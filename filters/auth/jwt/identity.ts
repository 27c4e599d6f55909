import { JsonKind, JsonValue } from "../../../assembly/index";
import { RequestIdentity } from "../request-identity";
import { TokenRule } from "./rule";

/** The claims of a verified token, as policies ask for them. */
export function identityOf(claims: JsonValue, rule: TokenRule): RequestIdentity {
  const identity = new RequestIdentity();
  const subject = claims.memberText("sub");
  if (subject.length > 0) identity.principal = rule.issuer + "/" + subject;
  const audiences = claims.member("aud");
  if (audiences !== null) identity.audiences = textsOf(audiences, false);
  identity.presenter = claims.memberText("azp");
  putAll(identity, claims, new Array<string>(0), rule);
  return identity;
}

function putAll(identity: RequestIdentity, object: JsonValue, path: string[], rule: TokenRule): void {
  for (let i = 0; i < object.names.length; i++) {
    const value = object.items[i];
    const own = path.concat([object.names[i]]);
    if (value.kind == JsonKind.Object) {
      putAll(identity, value, own, rule);
      continue;
    }
    const values = textsOf(value, isSpaceDelimited(own, rule));
    if (values.length > 0) identity.put(own, values);
  }
}

/** `scope` (RFC 8693) and `permission`, and what the rule names: claims in claims by dots. */
function isSpaceDelimited(path: string[], rule: TokenRule): bool {
  if (path.length == 1 && (path[0] == "scope" || path[0] == "permission")) return true;
  return rule.spaceDelimited.length > 0 && rule.spaceDelimited.includes(path.join("."));
}

/** A text, or the texts of a list. Other values count as none. */
function textsOf(value: JsonValue, isSpaceDelimited: bool): string[] {
  const texts = new Array<string>(0);
  if (value.kind == JsonKind.Text) add(texts, value.text, isSpaceDelimited);
  if (value.kind != JsonKind.List) return texts;
  for (let i = 0; i < value.items.length; i++) {
    const item = value.items[i];
    if (item.kind == JsonKind.Text) add(texts, item.text, false);
  }
  return texts;
}

function add(texts: string[], text: string, isSpaceDelimited: bool): void {
  if (!isSpaceDelimited) {
    texts.push(text);
    return;
  }
  const words = text.split(" ");
  for (let i = 0; i < words.length; i++) if (words[i].length > 0) texts.push(words[i]);
}
