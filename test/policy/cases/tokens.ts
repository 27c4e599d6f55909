import { allow, type AuthzCase, cases, deny, from, when } from "../case.ts";
import { ISSUER_URL as ISSUER } from "../../jwt/issuer.ts";
import { AUTHENTICATION } from "../tokens.ts";

const TOKEN = { iss: ISSUER, sub: "alice", aud: ["shop", "ops"], azp: "portal" };
const GROUPS = "request.auth.claims[groups]";
const ROLES = "request.auth.claims[realm][roles]";

const ROWS = cases(
  ["a request principal", allow(from(`requestPrincipals: [${ISSUER}/alice]`)), { claims: TOKEN }, "allowed"],
  ["another request principal", allow(from(`requestPrincipals: [${ISSUER}/bob]`)), { claims: TOKEN }, "denied"],
  ["a request principal without a token", allow(from(`requestPrincipals: [${ISSUER}/alice]`)), {}, "denied"],
  ["any request principal", allow(from("requestPrincipals: ['*']")), { claims: TOKEN }, "allowed"],
  ["any request principal without a token", allow(from("requestPrincipals: ['*']")), {}, "denied"],
  ["anybody of an issuer", allow(from(`requestPrincipals: ['${ISSUER}/*']`)), { claims: TOKEN }, "allowed"],
  [
    "anybody of another issuer",
    allow(from("requestPrincipals: ['https://other.example/*']")),
    { claims: TOKEN },
    "denied",
  ],
  ["a subject of any issuer", allow(from("requestPrincipals: ['*/alice']")), { claims: TOKEN }, "allowed"],
  ["another subject of any issuer", allow(from("requestPrincipals: ['*/bob']")), { claims: TOKEN }, "denied"],
  [
    "a subject that spells another issuer's",
    allow(from(`requestPrincipals: ['${ISSUER}/tenant/*']`)),
    { claims: { iss: ISSUER, sub: "tenant/alice" } },
    "denied",
  ],
  ["DENY whoever has no token", deny(from("notRequestPrincipals: ['*']")), {}, "denied"],
  ["DENY whoever has no token: one who has", deny(from("notRequestPrincipals: ['*']")), { claims: TOKEN }, "allowed"],
  [
    "request.auth.principal",
    allow(when("request.auth.principal", `values: [${ISSUER}/alice]`)),
    { claims: TOKEN },
    "allowed",
  ],
  ["request.auth.audiences", allow(when("request.auth.audiences", "values: [ops]")), { claims: TOKEN }, "allowed"],
  [
    "request.auth.audiences of others",
    allow(when("request.auth.audiences", "values: [web]")),
    { claims: TOKEN },
    "denied",
  ],
  [
    "request.auth.audiences as one text",
    allow(when("request.auth.audiences", "values: [shop]")),
    { claims: { ...TOKEN, aud: "shop" } },
    "allowed",
  ],
  ["request.auth.presenter", allow(when("request.auth.presenter", "values: [portal]")), { claims: TOKEN }, "allowed"],
  [
    "request.auth.presenter of another",
    deny(when("request.auth.presenter", "notValues: [portal]")),
    { claims: { ...TOKEN, azp: "x" } },
    "denied",
  ],
  ["a claim", allow(when(GROUPS, "values: [admin]")), { claims: { ...TOKEN, groups: "admin" } }, "allowed"],
  [
    "a claim with several values",
    allow(when(GROUPS, "values: [admin]")),
    { claims: { ...TOKEN, groups: ["dev", "admin"] } },
    "allowed",
  ],
  [
    "a claim with other values",
    allow(when(GROUPS, "values: [admin]")),
    { claims: { ...TOKEN, groups: ["dev"] } },
    "denied",
  ],
  ["a claim that is not there", allow(when(GROUPS, "values: [admin]")), { claims: TOKEN }, "denied"],
  ["a claim by prefix", allow(when(GROUPS, "values: [adm*]")), { claims: { ...TOKEN, groups: ["admin"] } }, "allowed"],
  ["DENY a claim", deny(when(GROUPS, "values: [dev]")), { claims: { ...TOKEN, groups: ["dev", "admin"] } }, "denied"],
  ["DENY all but a claim, without a token", deny(when(GROUPS, "notValues: [admin]")), {}, "denied"],
  [
    "a claim in a claim",
    allow(when(ROLES, "values: [editor]")),
    { claims: { ...TOKEN, realm: { roles: ["editor"] } } },
    "allowed",
  ],
  [
    "a claim in a claim, flat",
    allow(when(ROLES, "values: [editor]")),
    { claims: { ...TOKEN, roles: ["editor"] } },
    "denied",
  ],
  [
    "a word of scope",
    allow(when("request.auth.claims[scope]", "values: [write]")),
    { claims: { ...TOKEN, scope: "read write" } },
    "allowed",
  ],
  [
    "a word that scope has not",
    allow(when("request.auth.claims[scope]", "values: [delete]")),
    { claims: { ...TOKEN, scope: "read write" } },
    "denied",
  ],
);

/** Rules by what a verified token says. */
export const TOKENS: readonly AuthzCase[] = ROWS.map((row) => ({ ...row, policies: AUTHENTICATION + row.policies }));
