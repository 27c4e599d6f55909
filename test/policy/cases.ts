import type { AuthzCase } from "./case.ts";
import { ACTIONS } from "./cases/actions.ts";
import { CONDITIONS } from "./cases/conditions.ts";
import { CONNECTIONS } from "./cases/connections.ts";
import { OPERATIONS } from "./cases/operations.ts";
import { SOURCES } from "./cases/sources.ts";
import { TOKENS } from "./cases/tokens.ts";

/** What AuthorizationPolicies mean, by example. Each way of deciding is held against the same table. */
export const CASES: readonly AuthzCase[] = [
  ...SOURCES,
  ...OPERATIONS,
  ...CONDITIONS,
  ...ACTIONS,
  ...TOKENS,
  ...CONNECTIONS,
];
