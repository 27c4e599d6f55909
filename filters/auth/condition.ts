import { Condition } from "../config";
import { AskedHeader, AskedHeaders } from "./asked-headers";
import { Call } from "./call";
import { IpBlocks } from "./ip-block";
import { RequestPrincipals } from "./request-principals";
import { Wanted, WantedPaths } from "./wanted";

/** agent/model/authorization-policy.ts, PolicyAttribute. */
export enum Attribute {
  SourcePrincipal,
  SourceNamespace,
  SourceAccount,
  SourceIp,
  RequestPrincipal,
  RequestAudiences,
  RequestPresenter,
  RequestClaim,
  RequestHeader,
  RequestHost,
  RequestMethod,
  RequestPath,
  DestinationIp,
  DestinationPort,
  Sni,
  Unknown,
}

const NAMES: string[] = [
  "source.principal",
  "source.namespace",
  "source.serviceAccount",
  "source.ip",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "request.auth.claims",
  "request.headers",
  "request.host",
  "request.method",
  "request.path",
  "destination.ip",
  "destination.port",
  "connection.sni",
];

function attributeOf(name: string): Attribute {
  // Ambit trusts no proxy in front of the mesh to name its client: the client is the process that opened the connection.
  const at = NAMES.indexOf(name == "remote.ip" ? "source.ip" : name);
  return at < 0 ? Attribute.Unknown : <Attribute>at;
}

// What a condition on another attribute has instead.
const NO_TEXTS = new Wanted([], []);
const NO_PATHS = new WantedPaths([], []);
const NO_BLOCKS = new IpBlocks([], []);
const NO_PRINCIPALS = new RequestPrincipals([], []);

/** One condition of a rule, prepared: to ask it for a request parses, decodes and allocates nothing. */
export class ConditionRule {
  readonly attribute: Attribute;
  private readonly texts: Wanted;
  private readonly paths: WantedPaths;
  private readonly blocks: IpBlocks;
  private readonly principals: RequestPrincipals;
  /** The path of a claim. */
  private readonly name: string;
  private readonly header: AskedHeader;

  constructor(condition: Condition, headers: AskedHeaders) {
    const wanted = condition.values;
    const unwanted = condition.notValues;
    const attribute = attributeOf(condition.attribute);
    const isBlock = attribute == Attribute.SourceIp || attribute == Attribute.DestinationIp;
    const isPath = attribute == Attribute.RequestPath;
    const isPrincipal = attribute == Attribute.RequestPrincipal;
    const isText = !isBlock && !isPath && !isPrincipal;
    const blocks = isBlock ? new IpBlocks(wanted, unwanted) : NO_BLOCKS;
    this.attribute = blocks.areReadable ? attribute : Attribute.Unknown;
    this.texts = isText ? new Wanted(wanted, unwanted) : NO_TEXTS;
    this.paths = isPath ? new WantedPaths(wanted, unwanted) : NO_PATHS;
    this.blocks = blocks;
    this.principals = isPrincipal ? new RequestPrincipals(wanted, unwanted) : NO_PRINCIPALS;
    const path = condition.path;
    const name = path.length == 0 ? "" : path.length == 1 ? path[0] : path.join("\0");
    this.name = name;
    this.header =
      attribute == Attribute.RequestHeader ? headers.of(String.UTF8.encode(name)) : new AskedHeader(headers);
  }

  holds(call: Call): bool {
    switch (this.attribute) {
      case Attribute.SourcePrincipal:
        return this.texts.holds(call.principal);
      case Attribute.SourceNamespace:
        return this.texts.holds(call.namespace);
      case Attribute.SourceAccount:
        return this.texts.holds(call.account);
      case Attribute.SourceIp:
        return this.blocks.holds(call.address);
      case Attribute.RequestPrincipal:
        return this.principals.holds(call.identity);
      case Attribute.RequestAudiences:
        return this.texts.holdsTexts(call.identity.audiences);
      case Attribute.RequestPresenter:
        return this.texts.holdsText(call.identity.presenter);
      case Attribute.RequestClaim:
        return this.texts.holdsTexts(call.identity.at(this.name));
      case Attribute.RequestHeader:
        return this.texts.holdsHeader(this.header.value, this.header.read());
      case Attribute.RequestHost:
        return this.texts.holdsLower(call.host);
      case Attribute.RequestMethod:
        return this.texts.holds(call.method);
      case Attribute.RequestPath:
        return this.paths.holds(call.path);
      case Attribute.DestinationIp:
        return this.blocks.holds(call.destination);
      case Attribute.DestinationPort:
        return this.texts.holds(call.port);
      // An application's own TLS passes the mesh unread. A request that Envoy can read has no SNI.
      case Attribute.Sni:
        return this.texts.holds(call.sni);
    }
    return false;
  }
}
